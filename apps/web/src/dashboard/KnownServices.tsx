import type { PresetFacts } from '@maestro/protocol';
import { KeysLink } from '../ui/KeysLink.tsx';
import { providerChoice, providerStates } from '../ui/words.ts';
import { AskAgain } from './AskAgain.tsx';

/** The compatible services known by their address, one click each; those that are ready first. */
export function KnownServices(props: {
  services: readonly PresetFacts[];
  chosen: PresetFacts | undefined;
  onChoose: (service: PresetFacts | undefined) => void;
}) {
  const { chosen } = props;
  const ready = ({ state }: PresetFacts): number => (state === 'ready' ? 0 : 1);
  return (
    <fieldset className="field span">
      <legend className="field-label">Service</legend>
      <div className="services-choice">
        {props.services
          .toSorted((a, b) => ready(a) - ready(b))
          .map((service) => (
            <button
              key={service.id}
              type="button"
              className={`button small${service.state === 'ready' ? '' : ' quiet'}`}
              aria-pressed={service.id === chosen?.id}
              title={service.state === 'ready' ? service.base_url : providerStates[service.state].name}
              onClick={() => props.onChoose(service.id === chosen?.id ? undefined : service)}
            >
              {service.state === 'needs_key' ? service.name : providerChoice(service)}
            </button>
          ))}
      </div>
      {chosen && (
        <p className={chosen.state === 'ready' ? 'hint' : 'hint warn'}>
          {chosen.state === 'ready'
            ? `${chosen.name} is ready.`
            : (chosen.hint ?? `${chosen.name}: ${providerStates[chosen.state].name.toLowerCase()}.`)}{' '}
          {chosen.state === 'needs_key' && <KeysLink provider="compatible" service={chosen.id} />}
          {chosen.state !== 'needs_key' && chosen.state !== 'ready' && <AskAgain />}
        </p>
      )}
    </fieldset>
  );
}
