#pragma once

/// The definitions of the room `text`, to be compiled exactly once in a program.

#include <klue/text/impl/added_tokens.ipp>
#include <klue/text/impl/byte_trie.ipp>
#include <klue/text/impl/char_traits.ipp>
#include <klue/text/impl/normalizer.ipp>
#include <klue/text/impl/offset.ipp>
#include <klue/text/impl/pack_inputs.ipp>
#include <klue/text/impl/preprocessor.ipp>
#include <klue/text/impl/python_string.ipp>
#include <klue/text/impl/tokenizer.ipp>
#include <klue/text/impl/tokenizer_files.ipp>
#include <klue/text/impl/tokenizer_json.ipp>
#include <klue/text/impl/truncation.ipp>
#include <klue/text/impl/vocabulary.ipp>
#include <klue/text/impl/word_splitter.ipp>
#include <klue/text/impl/wordpiece.ipp>
#include <klue/text/impl/wordpiece_trie.ipp>
