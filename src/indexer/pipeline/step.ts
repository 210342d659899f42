import type { JsonObject } from './document.ts';

/** What a step leaves of a document: it goes on, or is dropped on purpose. */
export type StepOutcome = 'keep' | 'drop';

/** A compiled step. It changes the document that it is given. */
export type StepFunction = (document: JsonObject) => StepOutcome;
