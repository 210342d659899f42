/** Writes the documents that are generated from tables in the program. A test fails while they are not up to date. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderMarkdown, renderSchema } from '../src/config/documentation.ts';

const docs = path.join(import.meta.dirname, '../docs');

writeFileSync(path.join(docs, 'configuration.md'), renderMarkdown());
writeFileSync(path.join(docs, 'logboom.schema.json'), renderSchema());
