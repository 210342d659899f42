import type { ContainerLanes } from './container-lanes.ts';
import type { DocumentTemplate } from './document-template.ts';

/** A file as the records in it see it: what their documents say of it, and how far it is accounted for. */
export class LaneFile {
  readonly lanes: ContainerLanes;
  template: DocumentTemplate;
  /** First byte of the first line that is neither encoded nor pending in `lanes`. */
  position = 0;
  /** What `safeOffset` was when batches were last taken. */
  takenOffset = 0;
  /** Encoded records that were not taken and that have bytes in this file begin here or later. */
  constructor(lanes: ContainerLanes, template: DocumentTemplate) {
    this.lanes = lanes;
    this.template = template;
  }

  get fileId(): string {
    return this.template.fileId;
  }

  /** First byte that is in no encoded record and in no drop. */
  get safeOffset(): number {
    return this.lanes.safeOffset(this);
  }
}
