#pragma once

/// The definitions of the room `linear`, to be compiled exactly once in a program.

#include <klue/linear/impl/eigen_linear.ipp>
#include <klue/linear/impl/linear.ipp>
#include <klue/linear/impl/packed_linear.ipp>
#include <klue/linear/impl/product_linear.ipp>
#if KLUE_WITH_ONEDNN
#include <klue/linear/impl/onednn_linear.ipp>
#else
#include <klue/linear/impl/without_onednn.ipp>
#endif
