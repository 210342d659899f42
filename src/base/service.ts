/**
 * A part of the program with a life of its own. `run` resolves when the service has stopped, and rejects when it
 * cannot go on; `stop` asks it to stop and resolves when it has, with what it held drained or left for the next
 * start.
 */
export interface Service {
  readonly name: string;
  run(): Promise<void>;
  stop(): Promise<void>;
  /** Why the service is not doing its work just now, for `/readyz`; undefined when it is. */
  problem(): string | undefined;
}
