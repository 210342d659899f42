/**
 * Every metric that Logboom has, with its kind, labels and help: `/metrics` and the documentation come from this
 * table, and a name that is not in it does not compile. Names follow `logboom_<stage>_<noun>_<unit>_total`.
 */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = {
  logboom_agent_read_bytes_total: { kind: 'counter', help: 'Bytes read from files.', labels: ['source'] },
  logboom_agent_records_total: {
    kind: 'counter',
    help: 'Records sent to the transport.',
    labels: [],
  },
  logboom_agent_acknowledged_records_total: {
    kind: 'counter',
    help: 'Records that the transport acknowledged.',
    labels: [],
  },
  logboom_agent_dropped_bytes_total: {
    kind: 'counter',
    help: 'Bytes that are in no record, by reason.',
    labels: ['reason'],
  },
  logboom_agent_flaws_total: {
    kind: 'counter',
    help: 'What was odd about lines that are in records all the same, by kind.',
    labels: ['kind'],
  },
  logboom_agent_files: { kind: 'gauge', help: 'Files that are followed.', labels: ['state'] },
  logboom_agent_lag_bytes: { kind: 'gauge', help: 'Bytes written and not yet acknowledged.', labels: [] },
  logboom_agent_lag_seconds: {
    kind: 'gauge',
    help: 'How long the bytes that wait longest have waited for their acknowledgement.',
    labels: [],
  },
  logboom_agent_file_lag_bytes: {
    kind: 'gauge',
    help: 'Bytes written and not yet acknowledged, of the files that are furthest behind.',
    labels: ['path'],
  },
  logboom_agent_file_lag_seconds: {
    kind: 'gauge',
    help: 'How long they have waited, of the files that are furthest behind.',
    labels: ['path'],
  },
  logboom_agent_buffer_bytes_max: {
    kind: 'gauge',
    help: 'The most that logboom_agent_buffer_bytes can be, single larger lines apart.',
    labels: [],
  },
  logboom_agent_buffer_bytes: { kind: 'gauge', help: 'Bytes read and not yet acknowledged.', labels: [] },
  logboom_agent_deleted_open_bytes: {
    kind: 'gauge',
    help: 'Bytes of deleted files that are held open.',
    labels: [],
  },
  logboom_agent_watches: { kind: 'gauge', help: 'Directories that are watched.', labels: [] },
  logboom_transport_sent_records_total: {
    kind: 'counter',
    help: 'Records that the broker acknowledged.',
    labels: [],
  },
  logboom_transport_sent_bytes_total: {
    kind: 'counter',
    help: 'Bytes of acknowledged batches, as they were sent.',
    labels: [],
  },
  logboom_transport_retries_total: {
    kind: 'counter',
    help: 'Batches that have to be sent again, by the reason.',
    labels: ['reason'],
  },
  logboom_transport_throttled_seconds_total: {
    kind: 'counter',
    help: 'How long brokers made this process wait because of a quota, by what it wanted to do.',
    labels: ['action'],
  },
  logboom_transport_oversized_records_total: {
    kind: 'counter',
    help: 'Records larger than the topic takes, by what became of them.',
    labels: ['outcome'],
  },
  logboom_transport_received_records_total: {
    kind: 'counter',
    help: 'Records that were fetched from the broker and handed on.',
    labels: [],
  },
  logboom_transport_lost_offsets_total: {
    kind: 'counter',
    help: 'Offsets that the broker deleted before they were read.',
    labels: ['topic'],
  },
  logboom_transport_partitions: {
    kind: 'gauge',
    help: 'Partitions that this process reads.',
    labels: [],
  },
  logboom_transport_lag_records: {
    kind: 'gauge',
    help: 'Records of a partition that are not committed yet.',
    labels: ['topic', 'partition'],
  },
  logboom_transport_lag_seconds: {
    kind: 'gauge',
    help: 'How long the records of a partition that wait longest have waited to be committed.',
    labels: ['topic', 'partition'],
  },
  logboom_kubernetes_up: {
    kind: 'gauge',
    help: 'Whether the last question about pods was answered: 1 or 0.',
    labels: [],
  },
  logboom_kubernetes_pods: {
    kind: 'gauge',
    help: 'Pods of this node that are known: present, or gone and kept for their files.',
    labels: ['state'],
  },
  logboom_kubernetes_requests_total: {
    kind: 'counter',
    help: 'Answers of the Kubernetes API, by list or watch and HTTP status.',
    labels: ['verb', 'status'],
  },
  logboom_kubernetes_watch_events_total: {
    kind: 'counter',
    help: 'Events of the watch of pods, by type.',
    labels: ['type'],
  },
  logboom_kubernetes_forgotten_pods_total: {
    kind: 'counter',
    help: 'Pods that were not kept because there were too many.',
    labels: [],
  },
  logboom_kubernetes_unlabelled_files_total: {
    kind: 'counter',
    help: 'Groups of files whose first records left before anything was known of their pod.',
    labels: [],
  },
  logboom_rotate_actions_total: {
    kind: 'counter',
    help: 'What rotation did with files, by kind and outcome.',
    labels: ['action', 'outcome'],
  },
  logboom_rotate_freed_bytes_total: {
    kind: 'counter',
    help: 'Bytes that the disk got back from rotation.',
    labels: ['action'],
  },
  logboom_rotate_disk_bytes: {
    kind: 'gauge',
    help: 'Bytes on disk of the files that rotation may touch.',
    labels: [],
  },
  logboom_rotate_held_bytes: {
    kind: 'gauge',
    help: 'Bytes beyond disk budgets that may not be freed because they are not acknowledged.',
    labels: [],
  },
  logboom_rotate_budget_bytes: {
    kind: 'gauge',
    help: 'Bytes on disk that the files of the node may have; absent without such a budget.',
    labels: [],
  },
  logboom_rotate_last_timestamp_seconds: {
    kind: 'gauge',
    help: 'When rotation last did something, in seconds since the Unix epoch.',
    labels: [],
  },
  logboom_rotate_logrotate_runs_total: {
    kind: 'counter',
    help: 'Runs of logrotate by outcome.',
    labels: ['outcome'],
  },
  logboom_indexer_records_total: {
    kind: 'counter',
    help: 'Records by what became of them.',
    labels: ['outcome'],
  },
  logboom_indexer_batch_seconds: {
    kind: 'histogram',
    help: 'Time from taking a batch to its commit.',
    labels: [],
  },
  logboom_indexer_batch_bytes: {
    kind: 'histogram',
    help: 'Bytes of documents that were stored at once, as they were delivered.',
    labels: [],
  },
  logboom_indexer_held_bytes: {
    kind: 'gauge',
    help: 'Bytes taken from the transport and not yet committed.',
    labels: [],
  },
  logboom_indexer_held_bytes_max: {
    kind: 'gauge',
    help: 'The most that logboom_indexer_held_bytes can be, single larger batches apart.',
    labels: [],
  },
  logboom_indexer_retries_total: {
    kind: 'counter',
    help: 'Attempts that failed and are made again, by what was tried.',
    labels: ['action'],
  },
  logboom_replay_documents_total: {
    kind: 'counter',
    help: 'Dead letters that were replayed, by what became of them.',
    labels: ['result'],
  },
  logboom_store_appended_bytes_total: {
    kind: 'counter',
    help: 'Bytes of documents written to the journal.',
    labels: [],
  },
  logboom_store_segments: { kind: 'gauge', help: 'Parquet files that are searched.', labels: [] },
  logboom_store_bytes: { kind: 'gauge', help: 'Bytes on disk.', labels: ['kind'] },
  logboom_store_seal_seconds: { kind: 'histogram', help: 'Time to turn a journal into Parquet.', labels: [] },
  logboom_store_expired_records_total: { kind: 'counter', help: 'Records removed by retention.', labels: [] },
  logboom_store_bulk_documents_total: {
    kind: 'counter',
    help: 'Documents sent to Elasticsearch or OpenSearch, by what became of them.',
    labels: ['outcome'],
  },
  logboom_store_bulk_overflow_documents_total: {
    kind: 'counter',
    help: 'Documents that are too late or too far in the future for the index of their day.',
    labels: ['kind'],
  },
  logboom_store_bulk_requests_total: {
    kind: 'counter',
    help: 'Bulk requests by outcome.',
    labels: ['outcome'],
  },
  logboom_store_bulk_bytes_total: {
    kind: 'counter',
    help: 'Bytes of bulk requests before compression.',
    labels: [],
  },
  logboom_store_bulk_seconds: { kind: 'histogram', help: 'Time of bulk requests.', labels: [] },
  logboom_store_bulk_limit: {
    kind: 'gauge',
    help: 'Bulk requests that may be under way at once, as the engine bears it.',
    labels: [],
  },
  logboom_api_requests_total: {
    kind: 'counter',
    help: 'Requests by route and status.',
    labels: ['route', 'status'],
  },
  logboom_api_request_seconds: { kind: 'histogram', help: 'Time of requests.', labels: ['route'] },
  logboom_api_agents: {
    kind: 'gauge',
    help: 'Agents that were heard of: running, silent, stopped in good order, or gone for long.',
    labels: ['state'],
  },
  logboom_api_silent_agents_bytes: {
    kind: 'gauge',
    help: 'Bytes that silent agents had not delivered when they spoke last.',
    labels: [],
  },
  logboom_api_tail_clients: { kind: 'gauge', help: 'Live tails that are open.', labels: [] },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
