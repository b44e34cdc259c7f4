import type { Model } from '@maestro/protocol';
import { useState } from 'react';

const other = '\u0000other';

interface Props {
  id: string;
  'aria-describedby'?: string | undefined;
  'aria-invalid'?: boolean | undefined;
  models: readonly Pick<Model, 'id' | 'name'>[];
  value: string;
  onChange: (model: string) => void;
}

/** A provider's models, and a way to name one that is not in the list. */
export function ModelField({ models, value, onChange, ...wiring }: Props) {
  const listed = models.some((model) => model.id === value);
  const [typing, setTyping] = useState(false);
  const free = typing || models.length === 0 || !listed;

  return (
    <div className="model-field">
      {models.length > 0 && (
        <select
          {...(free ? { 'aria-label': 'Model from the list' } : wiring)}
          className="select"
          value={free ? other : value}
          onChange={(event) => {
            setTyping(event.target.value === other);
            if (event.target.value !== other) onChange(event.target.value);
          }}
        >
          {models.map((model) => (
            <option key={model.id} value={model.id}>
              {model.name}
            </option>
          ))}
          <option value={other}>Another model…</option>
        </select>
      )}
      {free && (
        <input
          {...wiring}
          className="input mono"
          spellCheck={false}
          value={value}
          placeholder="model name"
          onChange={(event) => {
            // What is typed may be the name of a listed one on its way to another.
            setTyping(true);
            onChange(event.target.value);
          }}
        />
      )}
    </div>
  );
}
