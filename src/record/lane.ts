/**
 * A lane is the sequence of records that one stream writes into one file. Within a lane records are delivered in
 * the order of their offsets; across the lanes of a file they need not be, because a partial line on stdout may
 * wait while stderr goes on (G8). Everything that compares offsets with a watermark does so per lane.
 */
export const LANE = { file: 0, stdout: 1, stderr: 2 } as const;

export type Lane = (typeof LANE)[keyof typeof LANE];

export const LANE_COUNT = 3;

/** The value of a document's `stream` field, by lane. */
export const STREAM_NAMES = ['file', 'stdout', 'stderr'] as const;
