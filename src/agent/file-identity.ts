/** What tells two files apart that have, or had, the same inode. */
export interface FileIdentity {
  /** `device:inode`. */
  readonly inode: string;
  /** Nanoseconds since the Unix epoch; `0` where the file system does not tell. */
  readonly birthNs: string;
}

/** Whether both are the same file: an inode that was given to another one has another time of birth. */
export function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  if (one.inode !== other.inode) return false;
  return one.birthNs === other.birthNs || one.birthNs === '0' || other.birthNs === '0';
}
