/**
 * The server cannot start, for a reason a person can do something about (port in use, data folder taken, database
 * down). Thrown by `startServer`; the command line prints `message` and `remedy` and no stack.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly remedy: string;
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}
