import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTelemetry } from '../../../telemetry/memory-telemetry.ts';
import { KafkaError, problemOf } from './kafka-problem.ts';
import { ProblemBook } from './problem-book.ts';

function linesOf(run: (book: ProblemBook) => void): string[] {
  const telemetry = new MemoryTelemetry();
  run(new ProblemBook(telemetry));
  return telemetry.lines.map(({ event, text }) => `${event}: ${text}`);
}

const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const CLOSED = new Error('Connection closed');

void test('a broker that goes away is one line of the log, whatever fails by it and how, and another one when it is back', () => {
  const subjects = ['topic logs', 'write to partition 0 of logs', 'write to partition 1 of logs'];
  const lines = linesOf((book) => {
    for (const error of [RESET, CLOSED, RESET])
      for (const subject of subjects) book.note(subject, problemOf(error, `do ${subject}`));
    for (const subject of subjects) book.note(subject, undefined);
  });
  assert.deepEqual(lines, [
    'kafka_waits: waiting: cannot do topic logs: read ECONNRESET',
    'kafka_recovered: Kafka works again, after: cannot do topic logs: read ECONNRESET',
  ]);
});

void test('what nobody tries any more ends without a word', () => {
  const lines = linesOf((book) => {
    book.note('a', problemOf(RESET, 'read from Kafka'));
    book.forget('a');
    book.note('b', problemOf(RESET, 'write to the topic logs'));
  });
  assert.deepEqual(lines, [
    'kafka_waits: waiting: cannot read from Kafka: read ECONNRESET',
    'kafka_waits: waiting: cannot write to the topic logs: read ECONNRESET',
  ]);
});

void test('another cause is another line, and each has its own end', () => {
  const forbidden = new KafkaError('TOPIC_AUTHORIZATION_FAILED', '');
  const lines = linesOf((book) => {
    book.note('a', problemOf(RESET, 'read from Kafka'));
    book.note('b', problemOf(forbidden, 'write to the topic logs'));
    book.note('c', problemOf(forbidden, 'write to the topic logs'));
    book.note('d', problemOf(forbidden, 'write to the topic logs.dead'));
    book.note('a', undefined);
    book.note('a', problemOf(RESET, 'read from Kafka'));
    book.note('b', undefined);
  });
  assert.deepEqual(lines, [
    'kafka_waits: waiting: cannot read from Kafka: read ECONNRESET',
    'kafka_waits: waiting: may not write to the topic logs',
    'kafka_waits: waiting: may not write to the topic logs.dead',
    'kafka_recovered: Kafka works again, after: cannot read from Kafka: read ECONNRESET',
    'kafka_waits: waiting: cannot read from Kafka: read ECONNRESET',
  ]);
});
