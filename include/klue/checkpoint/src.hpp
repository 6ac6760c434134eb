#pragma once

/// The definitions of the room `checkpoint`, to be compiled exactly once in a program.

#include <klue/checkpoint/impl/archive.ipp>
#include <klue/checkpoint/impl/checkpoint.ipp>
#include <klue/checkpoint/impl/crc.ipp>
#include <klue/checkpoint/impl/dtype.ipp>
#include <klue/checkpoint/impl/file_kind.ipp>
#include <klue/checkpoint/impl/file_writer.ipp>
#include <klue/checkpoint/impl/gzip.ipp>
#include <klue/checkpoint/impl/open_checkpoint.ipp>
#include <klue/checkpoint/impl/pickle.ipp>
#include <klue/checkpoint/impl/safetensors.ipp>
#include <klue/checkpoint/impl/safetensors_writer.ipp>
#include <klue/checkpoint/impl/saved_model.ipp>
#include <klue/checkpoint/impl/shard_index.ipp>
#include <klue/checkpoint/impl/snappy.ipp>
#include <klue/checkpoint/impl/sorted_table.ipp>
#include <klue/checkpoint/impl/tar.ipp>
#include <klue/checkpoint/impl/tensor_bundle.ipp>
#include <klue/checkpoint/impl/tensor_view.ipp>
#include <klue/checkpoint/impl/tensorflow.ipp>
#include <klue/checkpoint/impl/tensorflow_encoder.ipp>
#include <klue/checkpoint/impl/torch_archive.ipp>
#include <klue/checkpoint/impl/zip_archive.ipp>
