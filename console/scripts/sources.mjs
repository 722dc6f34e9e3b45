// The hash of what the built files are made from. It is kept beside dist, so that a test without
// Node can tell when they are stale: crates/tidegate/tests/it/console.rs hashes the same way.
//
//   node scripts/sources.mjs           prints it
//   node scripts/sources.mjs --write   writes it to sources.sha256
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const files = ['index.html', 'package-lock.json', 'package.json', 'tsconfig.json', 'vite.config.ts'];
for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) {
    files.push(join(entry.parentPath, entry.name).slice(root.length + 1));
  }
}
const hash = createHash('sha256');
for (const file of files.sort()) {
  const bytes = readFileSync(join(root, file));
  hash.update(`${file}\n${bytes.length}\n`).update(bytes);
}
const text = `${hash.digest('hex')}\n`;
if (process.argv.includes('--write')) {
  writeFileSync(join(root, 'sources.sha256'), text);
} else {
  process.stdout.write(text);
}
