/** What `store` of the configuration says to the embedded store. */
export interface EmbeddedStoreConfig {
  readonly retention: { readonly bytesMax: number; readonly ageMsMax: number | undefined };
  /** Journals of this size together are sealed into segments. */
  readonly journalBytesMax: number;
  readonly journalAgeMsMax: number;
  /** Below this many free bytes on the file system, appends wait. */
  readonly freeBytesMin: number;
}
