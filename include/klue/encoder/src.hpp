#pragma once

/// The definitions of the room `encoder`, to be compiled exactly once in a program.

#include <klue/encoder/impl/config.ipp>
#include <klue/encoder/impl/encoder.ipp>
#include <klue/encoder/impl/encoder_core.ipp>
#include <klue/encoder/impl/pooling.ipp>
