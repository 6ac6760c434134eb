#!/usr/bin/env node
// Asks Hugging Face's Rust tokenizer what it does, for configurations that KLUE itself does not
// have: lower-casing, accents, added tokens with every flag, windows. Writes NAME.json (a
// tokenizer.json) and NAME.cases.jsonl beside this script, which huggingface_test.cpp reads.
//
//   npm install --ignore-scripts @anush008/tokenizers@0.6.0     (in any folder)
//   cd that folder && node …/make_cases.mjs [--count 150] [--seed 1] [--out DIR] [--extra NAME=tokenizer.json]
//
// 0.6.0 of the package is built on version 0.22.2 of the Rust crate.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const { Tokenizer } = createRequire(path.join(process.cwd(), 'x.js'))('@anush008/tokenizers');

const args = process.argv.slice(2);
const flag = (name, otherwise) => { const i = args.indexOf('--' + name); return i < 0 ? otherwise : args[i + 1]; };
const out = flag('out', path.dirname(new URL(import.meta.url).pathname));
const count = +flag('count', 150);

// A small random generator, so that the same seed gives the same cases everywhere.
let state = BigInt(flag('seed', 1));
const random = (n) => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return Number((state >> 33n) % BigInt(n));
};
const pick = (list) => list[random(list.length)];

const specials = ['[CLS]', '[PAD]', '[SEP]', '[UNK]', '[MASK]'];
const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const pieces = [
  ...specials,
  ...letters, ...letters.map((c) => '##' + c), ...[...'ABCEISTİ'], ...[...'ABCEISTİ'].map((c) => '##' + c),
  'ab', 'abc', '##bc', '##bcd', 'the', '##ing', 'don', '##es', 'é', '##é', 'ß', '##ß', 'σ', '##ς', '##σ',
  '\u0307', '##\u0307', '\u0301', '##\u0301', '\u0323', '##\u0323', '##\u0345',
  '가', '##가', '나', '##나', '다', '##다', '각', '##각', '가나', '##나다', '가나다라', '##라마', '##라',
  '\u1100', '##\u1100', '\u1161', '##\u1161', '##\u11a8', '\u1102', '##\u1102', '\u1103', '##\u1103',
  '大', '韓', '##大', '民國', '!', '.', ',', "'", '?', '[', ']', '-', '<', '>', '@', '#', '0', '1', '##0', '##1', '12', '##23',
  '\u00a0', '##\u200b', '\u0000', '㉠', '##㉠', '😀', '##😀', '\u093e', '##\u093e', '##\u302e', "'s", 'not', 'do',
];

const tokenizer = (normalizer, { added = [], model = {}, prefix = '##', bert = false, bFirst = false, sequence = false, decoder = true } = {}) => {
  const vocab = Object.fromEntries(pieces.map((p, i) => [p.startsWith('##') ? prefix + p.slice(2) : p, i]));
  let next = pieces.length;
  const special = (content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
  const token = (id, type_id) => ({ SpecialToken: { id, type_id } }), text = (id, type_id) => ({ Sequence: { id, type_id } });
  const cls = token('[CLS]', 0), sep = token('[SEP]', 0);
  const wrap = (list, part) => (sequence ? { type: 'Sequence', [list]: [part] } : part);
  return {
    version: '1.0', truncation: null, padding: null,
    added_tokens: [
      ...specials.map((s, i) => special(s, i)),
      ...added.map((a) => ({ id: a.content in vocab ? vocab[a.content] : a.id ?? next++, single_word: false, lstrip: false, rstrip: false, normalized: true, special: false, ...a, ...(a.content in vocab ? { id: vocab[a.content] } : {}) })),
    ],
    normalizer: wrap('normalizers', { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: false, ...normalizer }),
    pre_tokenizer: wrap('pretokenizers', { type: 'BertPreTokenizer' }),
    post_processor: wrap('processors', bert ? { type: 'BertProcessing', sep: ['[SEP]', 2], cls: ['[CLS]', 0] } : {
      type: 'TemplateProcessing', single: [cls, text('A', 0), sep], pair: bFirst ? [cls, text('B', 0), sep, text('A', 1), token('[SEP]', 1)] : [cls, text('A', 0), sep, text('B', 1), token('[SEP]', 1)],
      special_tokens: Object.fromEntries([['[CLS]', 0], ['[SEP]', 2]].map(([t, i]) => [t, { id: t, ids: [i], tokens: [t] }])),
    }),
    decoder: decoder ? wrap('decoders', { type: 'WordPiece', prefix, cleanup: true }) : null,
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: prefix, max_input_chars_per_word: 100, vocab, ...model },
  };
};

const flags = [{}, { lstrip: true }, { rstrip: true }, { lstrip: true, rstrip: true }, { single_word: true }, { single_word: true, lstrip: true, rstrip: true }];
const addedRaw = flags.map((f, i) => ({ content: `<r${i}>`, normalized: false, ...f }));
const addedNormalized = flags.map((f, i) => ({ content: `<N${i}É>`, normalized: true, ...f }));
const addedOdd = [
  { content: 'ab c', normalized: false }, { content: 'ab', normalized: false, single_word: true }, { content: '大韓', normalized: true },
  { content: '韓', normalized: true, lstrip: true, rstrip: true }, { content: '가나', normalized: false, special: true }, { content: '가나다', normalized: false },
  { content: 'Do not', normalized: true }, { content: '각', normalized: true, single_word: true, special: true },
];
// Of one normalized spelling, listed twice, with ids of their own, longer than others, made of spaces.
const addedTwice = [
  { content: '<D>', id: 700, rstrip: true }, { content: '<D>', id: 800, lstrip: true, normalized: false }, { content: '<d>', id: 900, special: true, normalized: true },
  { content: '<É>', id: 950 }, { content: '<é>', id: 951, lstrip: true }, { content: '<e>', id: 952, special: true, normalized: true, single_word: true },
  { content: 'ab', lstrip: true, special: true }, { content: 'ab', rstrip: true }, { content: 'a'.repeat(40) + 'b' }, { content: 'aa' },
];
const addedSpaces = [{ content: ' ', rstrip: true }, { content: '<t>', rstrip: true, normalized: false }, { content: '\t' }, { content: '<n>', rstrip: true }];

const tokenizers = {
  cased: tokenizer({}),
  uncased: tokenizer({ lowercase: true }),
  lowercase_keeps_accents: tokenizer({ lowercase: true, strip_accents: false }),
  strips_accents: tokenizer({ strip_accents: true }),
  as_it_stands: tokenizer({ clean_text: false, handle_chinese_chars: false }, { bert: true }),
  short_words: tokenizer({}, { model: { max_input_chars_per_word: 4 }, prefix: '@@' }),
  added_tokens: tokenizer({}, { added: [...addedRaw, ...addedOdd.filter((a) => !a.normalized)] }),
  added_tokens_normalized: tokenizer({}, { added: [...addedRaw, ...addedNormalized, ...addedOdd] }),
  added_tokens_uncased: tokenizer({ lowercase: true }, { added: [...addedRaw, ...addedNormalized, ...addedOdd] }),
  added_tokens_twice: tokenizer({}, { added: addedTwice }),
  added_tokens_twice_uncased: tokenizer({ lowercase: true }, { added: addedTwice }),
  added_tokens_of_spaces: tokenizer({}, { added: addedSpaces }),
  second_text_first: tokenizer({}, { bFirst: true }),
  sequences_of_one: tokenizer({ lowercase: true }, { sequence: true, bert: true }),
  without_decoder: tokenizer({}, { decoder: false }),
};

const alphabets = [
  letters, [...'ABCEIST'], [...'가나다라마각힣대한'], [...'가나다라'], ['\u1100', '\u1161', '\u11a8', '\u1102', '\u1103'],
  [...'éÉñàÅßẞİıΣςσǅKﬁ½'], ['\u0301', '\u0323', '\u0307', '\u0334', '\u1df6', '\u09fe', '\u{10f46}', '\u0308', '\u0345', '\u302e', '\u1d165', '\u093e', '\u20dd', '\u0f71', '\u111c9'],
  [...'大韓民國金豈\u{20000}\u{2b820}\u{2f800}'], [...'!.,\'?[]-<>@#'], [...'0123'], [' ', ' ', ' ', '\t', '\n', '\r', '\u00a0', '\u3000', '\u2028', '\u1680', '\u0085', '\u2003'],
  ['\u0000', '\u200b', '\ufeff', '\u00ad', '\ufffd', '\u0007', '\u200d', '\ue000', '\u{e0001}'], [...'😀👍\u{1f3fd}㉠①ㅋㅠᆞ﹏～'],
  specials, [...addedRaw, ...addedNormalized, ...addedOdd].map((a) => a.content), ['<n0é>', '<N1E\u0301>', '<D>', '<d>', '<É>', '<e>', '<E\u0301>', '<t>', '<n>', 'a'.repeat(40), ' \t ', 'the', 'don', "'s", '##', 'do not', 'Ab', 'ab', 'abc', '大 韓'],
];
const anyCodePoint = () => { for (;;) { const c = random(8) ? random(0x3000) : random(0x110000); if (c < 0xd800 || c > 0xdfff) return String.fromCodePoint(c); } };
const randomText = () => {
  let text = '';
  for (let words = random(5); words >= 0; --words) {
    let alphabet = pick(alphabets);
    for (let n = random(random(25) ? 7 : 120); n >= 0; --n) {
      if (!random(6)) alphabet = pick(alphabets);
      text += random(40) ? pick(alphabet) : anyCodePoint();
    }
    if (random(3)) text += ' ';
  }
  return text;
};
const fixedTexts = ['', ' ', '가나다', 'The café', 'don\'t do not', 'a\u0323\u0301b', 'İstanbul ΑΣ', '[MASK]가나', '<r1> <r2> <r3>', 'x <N1É> y <n3é> z', 'a<r4>b <r4> <r4>', '大韓 民國', 'a'.repeat(101), 'a'.repeat(100)];

const plain = (e, deep) => ({
  ids: e.getIds(), tokens: e.getTokens(), type_ids: e.getTypeIds(), offsets: e.getOffsets(), word_ids: e.getWordIds().map((w) => w ?? -1), special_tokens_mask: e.getSpecialTokensMask(),
  ...(deep ? { overflowing: e.getOverflowing().map((o) => plain(o, false)) } : {}),
});

for (const extra of args.flatMap((a, i) => (a === '--extra' ? [args[i + 1]] : []))) {
  const [name, file] = extra.split('=');
  tokenizers[name] = JSON.parse(fs.readFileSync(file, 'utf8'));
}
for (const [name, json] of Object.entries(tokenizers)) {
  const file = path.join(out, name + '.json');
  fs.writeFileSync(file, JSON.stringify(json, null, 1) + '\n');
  const hf = Tokenizer.fromFile(file);
  const lines = [];
  for (let i = 0; i < count; ++i) {
    const text = fixedTexts[i] ?? randomText(), pair = i < fixedTexts.length || random(4) ? null : randomText();
    const entry = { text, ...(pair === null ? {} : { pair }) };
    hf.disableTruncation();
    if (!random(3)) {
      const room = random(12) + 1;
      const strategy = pair === null ? 'longest_first' : pick(['longest_first', 'only_first', 'only_second']);
      // A stride that is not smaller than what is kept of a text ends the process there.
      const most = strategy !== 'longest_first' ? 1 : pair === null ? room : Math.max(1, room >> 1);
      entry.truncation = { max_length: room + (pair === null ? 2 : 3), strategy, direction: pick(['right', 'left']), stride: random(most) };
      const { max_length, direction, stride } = entry.truncation;
      const names = { longest_first: 'LongestFirst', only_first: 'OnlyFirst', only_second: 'OnlySecond' };
      hf.setTruncation(max_length, { strategy: names[strategy], direction, stride });
    }
    try {
      const encoding = await hf.encode(text, pair);
      Object.assign(entry, plain(encoding, true));
      hf.disableTruncation();
      entry.decoded = await hf.decode(entry.ids, false);
      entry.decoded_without_special = await hf.decode(entry.ids, true);
    } catch (error) {
      entry.error = String(error.message ?? error).slice(0, 100);
    }
    lines.push(JSON.stringify(entry));
  }
  fs.writeFileSync(path.join(out, name + '.cases.jsonl'), lines.join('\n') + '\n');
}
