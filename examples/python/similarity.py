"""Cosine similarities of sentences, by ctypes and numpy: nothing to install but libklue_roberta.so.

    similarity.py MODEL SENTENCE...       LD_LIBRARY_PATH, or KLUE_LIBRARY=…/libklue_roberta.so
"""
import ctypes
import os
import sys

import numpy

klue = ctypes.CDLL(os.environ.get("KLUE_LIBRARY", "libklue_roberta.so"))
klue.klue_error_message.restype = ctypes.c_char_p
UNTIL_NUL = ctypes.c_size_t(-1).value


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t),
                ("pair_data", ctypes.c_char_p), ("pair_size", ctypes.c_size_t)]


class Info(ctypes.Structure):  # the part of klue_model_info that is used here
    _fields_ = [("struct_size", ctypes.c_size_t), ("engine", ctypes.c_char_p),
                ("weights_format", ctypes.c_char_p), ("head", ctypes.c_char_p),
                ("threads", ctypes.c_size_t), ("embedding_size", ctypes.c_size_t)]


def check(status):
    if status != 0:
        raise RuntimeError(klue.klue_error_message().decode())


class Model:
    def __init__(self, directory):
        self.handle = ctypes.c_void_p()
        check(klue.klue_model_load(os.fsencode(directory), None, ctypes.byref(self.handle)))
        info = Info(struct_size=ctypes.sizeof(Info))
        check(klue.klue_model_get_info(self.handle, ctypes.byref(info)))
        self.size = info.embedding_size

    def embed(self, sentences):
        """[sentences, size] float32; the library writes into numpy's own memory."""
        texts = (Text * len(sentences))(*[Text(s.encode(), UNTIL_NUL) for s in sentences])
        out = numpy.empty((len(sentences), self.size), numpy.float32)
        check(klue.klue_model_embed(self.handle, texts, ctypes.c_size_t(len(sentences)), None,
                                    out.ctypes.data_as(ctypes.c_void_p),
                                    ctypes.c_size_t(out.size)))
        return out

    def __del__(self):
        klue.klue_model_free(self.handle)


if __name__ == "__main__":
    vectors = Model(sys.argv[1]).embed(sys.argv[2:])
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    numpy.set_printoptions(precision=4, suppress=True)
    print(vectors @ vectors.T)
