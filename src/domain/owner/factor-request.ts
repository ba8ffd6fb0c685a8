import type { Caller, Connection } from '#core/endpoint';

/** A request for a sensitive act, as the server hands it over to be judged. */
export interface FactorRequest {
  readonly caller: Caller;
  readonly connection: Connection;
  /** Of the header `Castellan-Factor`, decoded. */
  readonly given?: string;
  /** What is asked for, to the last field: method, path and a hash of the input. A proof by passkey is good for this alone. */
  readonly act: string;
  /** Lets it pass while no factor is enrolled. */
  readonly whenEnrolled: boolean;
}
