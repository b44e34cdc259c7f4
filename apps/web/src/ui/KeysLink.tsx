import type { ProviderId } from '@maestro/protocol';
import { Link } from '@tanstack/react-router';

/** The way from "there is no key" to where one is added. */
export const KeysLink = ({ provider }: { provider?: ProviderId | undefined }) => (
  <Link to="/auth" search={provider ? { provider } : {}} className="keys-link">
    Add a key
  </Link>
);
