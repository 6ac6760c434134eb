#pragma once

/// The definitions of the room `model`, to be compiled exactly once in a program.

#include <klue/model/impl/head.ipp>
#include <klue/model/impl/model.ipp>
#include <klue/model/impl/model_files.ipp>
#include <klue/model/impl/sentence_transformers.ipp>
#include <klue/model/impl/vector_pipeline.ipp>
