#pragma once

/// The definitions of the room `search`, to be compiled exactly once in a program.

#include <klue/search/impl/packed_vectors.ipp>
#include <klue/search/impl/similar_pairs.ipp>
#include <klue/search/impl/top_k.ipp>
