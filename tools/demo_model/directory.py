"""Writes a model directory: Hugging Face's files and those of sentence-transformers around them."""
import json
import pathlib
import struct

import numpy as np

import wordpiece

HIDDEN, LAYERS, HEADS, INTERMEDIATE, POSITIONS = 256, 2, 4, 256, 130
LONGEST = POSITIONS - wordpiece.PAD - 1  # tokens

CONFIG = {
    "architectures": ["RobertaModel"],
    "attention_probs_dropout_prob": 0.1,
    "bos_token_id": wordpiece.CLS,
    "eos_token_id": wordpiece.SEP,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "intermediate_size": INTERMEDIATE,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": POSITIONS,
    "model_type": "roberta",
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "pad_token_id": wordpiece.PAD,
    "tokenizer_class": "BertTokenizer",
    "torch_dtype": "bfloat16",
    "type_vocab_size": 1,
}
SPECIAL_TOKENS = {"cls_token": "[CLS]", "pad_token": "[PAD]", "sep_token": "[SEP]",
                  "unk_token": "[UNK]", "mask_token": "[MASK]", "bos_token": "[CLS]",
                  "eos_token": "[SEP]"}
TOKENIZER = {**SPECIAL_TOKENS, "do_lower_case": False, "do_basic_tokenize": True,
             "never_split": None, "tokenize_chinese_chars": True, "strip_accents": None,
             "model_max_length": LONGEST, "tokenizer_class": "BertTokenizer"}
MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
           {"idx": 1, "name": "1", "path": "1_Pooling",
            "type": "sentence_transformers.models.Pooling"}]
LIMITS = {"max_seq_length": LONGEST, "do_lower_case": False}
POOLING = {"word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": False,
           "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
           "pooling_mode_mean_sqrt_len_tokens": False}


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_safetensors(path, tensors):
    """8 bytes for the length of a JSON header, the header, padded to 8 bytes, and the numbers."""
    header, parts, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, values in tensors.items():
        parts.append(np.ascontiguousarray(values, "<f4").tobytes())
        header[name] = {"dtype": "F32", "shape": list(values.shape),
                        "data_offsets": [at, at + len(parts[-1])]}
        at += len(parts[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read_safetensors(path):
    """All tensors of a file of `F32`."""
    contents = path.read_bytes()
    begin = 8 + struct.unpack("<Q", contents[:8])[0]
    header, tensors = json.loads(contents[8:begin]), {}
    header.pop("__metadata__", None)
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = np.frombuffer(contents[begin + first:begin + last], "<f4").reshape(entry["shape"])
    return tensors


def write(directory, tensors, pieces):
    directory = pathlib.Path(directory)
    (directory / "1_Pooling").mkdir(parents=True, exist_ok=True)
    write_json(directory / "config.json", {**CONFIG, "vocab_size": len(pieces)})
    write_json(directory / "tokenizer_config.json", TOKENIZER)
    write_json(directory / "special_tokens_map.json", SPECIAL_TOKENS)
    write_json(directory / "modules.json", MODULES)
    write_json(directory / "sentence_bert_config.json", LIMITS)
    write_json(directory / "1_Pooling" / "config.json", POOLING)
    (directory / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    write_safetensors(directory / "model.safetensors", tensors)
