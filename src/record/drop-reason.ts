/**
 * Why bytes are not in a delivered record. The list is closed: `audit` adds each of these up, and what is in none
 * of them is missing (G1).
 */
export const DROP_REASONS = [
  'nul_run',
  'byte_order_mark',
  'line_too_long',
  'pipeline',
  'unreadable',
  'gap',
  'possible_loss',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];
