/** Something in the engine that is not as Logboom wants it and that a person has to decide about. */
export interface EngineFinding {
  /** Such as `index template logboom`. */
  readonly object: string;
  readonly problem: string;
  readonly remedy: string;
}
