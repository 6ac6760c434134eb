#!/usr/bin/env node
// Our tokenizer beside Hugging Face's Rust tokenizer, on the same texts, one thread each, in turns.
//
//   cmake --preset release -DKLUE_BUILD_BENCHMARKS=ON && cmake --build --preset release
//   benchmarks/prepare_peer MODEL_DIR
//   node benchmarks/compare_tokenizers.mjs --model MODEL_DIR --corpus TEXTS.txt [--runs 7] [--seconds 1]
//
// MODEL_DIR holds tokenizer.json; TEXTS.txt has a text a line.
//
// Both make special tokens, ids, offsets, type ids and masks of every line, and must find the same
// ids. Hugging Face's library is called once for all lines (encodeBatch, with its threads switched
// off); what the call costs by itself is measured with as many empty lines and taken off.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

process.env.TOKENIZERS_PARALLELISM = 'false';
process.env.RAYON_NUM_THREADS = '1';
const args = process.argv.slice(2);
const flag = (name, otherwise) => { const i = args.indexOf('--' + name); return i < 0 ? otherwise : args[i + 1]; };
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { Tokenizer } = createRequire(path.join(root, 'build', 'peer', 'x.js'))('@anush008/tokenizers');
const model = flag('model'), corpus = flag('corpus');
if (!model || !corpus) {
  console.error('usage: compare_tokenizers.mjs --model MODEL_DIR --corpus TEXTS.txt [--program PATH] [--runs N] [--seconds S]');
  process.exit(2);
}
const program = flag('program', path.join(root, 'build/release/benchmarks/tokenize_corpus'));
const runs = +flag('runs', 7), seconds = +flag('seconds', 1);
const median = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1];

const texts = fs.readFileSync(corpus, 'utf8').split('\n').filter((line) => line);
const empty = texts.map(() => '');
const hf = Tokenizer.fromFile(path.join(model, 'tokenizer.json'));

async function time(lines) {
  const start = performance.now();
  await hf.encodeBatch(lines);
  return (performance.now() - start) / 1e3;
}

let tokens = 0, checksum = 0;
for (const encoding of await hf.encodeBatch(texts))
  for (const id of encoding.getIds()) { checksum = (checksum * 31 + id) % 1000003; ++tokens; }

const ours = [], oursTokenize = [], theirs = [];
let work;
for (let run = 0; run < runs; ++run) {
  work = JSON.parse(execFileSync(program, [model, corpus, String(seconds)], { encoding: 'utf8' }));
  if (work.tokens !== tokens || work.checksum !== checksum) throw new Error(`different tokens: ${work.tokens} and ${tokens}`);
  ours.push(work.encode_s);
  oursTokenize.push(work.tokenize_s);
  const full = [], call = [];
  for (const start = performance.now(); full.length < 3 || performance.now() - start < seconds * 1e3;) {
    full.push(await time(texts));
    call.push(await time(empty));
  }
  theirs.push(median(full) - median(call));
}

const show = (name, times) => {
  const s = median(times);
  console.log(`${name.padEnd(42)} ${(work.bytes / s / 1e6).toFixed(1).padStart(7)} MB/s ${(work.texts / s / 1e3).toFixed(0).padStart(6)} k texts/s`);
};
console.log(`${work.texts} texts, ${work.bytes} bytes, ${work.tokens} tokens; the ids are the same; medians of ${runs} runs in turns, one thread`);
show('klue::Tokenizer::tokenize', oursTokenize);
show('klue::Tokenizer::encode', ours);
show('Hugging Face tokenizers 0.22.2 (Rust)', theirs);
console.log(`ratio of encode ${(median(theirs) / median(ours)).toFixed(1)}, of tokenize ${(median(theirs) / median(oursTokenize)).toFixed(1)}`);
