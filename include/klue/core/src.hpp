#pragma once

/// The definitions of the room `core`, to be compiled exactly once in a program.

#include <klue/core/impl/anonymous_file.ipp>
#include <klue/core/impl/error.ipp>
#include <klue/core/impl/files.ipp>
#include <klue/core/impl/fork.ipp>
#include <klue/core/impl/processors.ipp>
#include <klue/core/impl/tensor.ipp>
#include <klue/core/impl/texts.ipp>
#include <klue/core/impl/thread_pool.ipp>
#include <klue/core/impl/version.ipp>
