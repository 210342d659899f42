/**
 * What Logboom uses of `@platformatic/kafka`, and all that may be imported of it. The library has one entry that loads
 * its producers, consumers, registries and every version of every request: 10 MiB of an agent's memory. So the build
 * replaces what this file is compiled to by the parts that are named here (`tools/pack-kafka-library.ts`).
 */
export {
  apiVersionsV3,
  compressionsAlgorithms,
  ConfigResourceTypes,
  Connection,
  consumerGroupHeartbeatV0,
  crc32c,
  createAPI,
  createTopicsV5,
  createTopicsV6,
  createTopicsV7,
  describeConfigsV4,
  fetchV12,
  findCoordinatorV4,
  heartbeatV4,
  initProducerIdV4,
  joinGroupV7,
  leaveGroupV4,
  listOffsetsV7,
  metadataV10,
  metadataV11,
  metadataV12,
  offsetCommitV8,
  offsetCommitV9,
  offsetFetchV8,
  offsetFetchV9,
  produceV9,
  protocolErrorsCodesById,
  Reader,
  syncGroupV5,
  Writer,
  type ConnectionOptions,
} from '@platformatic/kafka';
