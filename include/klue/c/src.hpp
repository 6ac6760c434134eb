#pragma once

/// The definitions of the room `c`, to be compiled exactly once in a program.

#include <klue/c/impl/arguments.ipp>
#include <klue/c/impl/encode.ipp>
#include <klue/c/impl/last_error.ipp>
#include <klue/c/impl/model.ipp>
#include <klue/c/impl/task.ipp>
#include <klue/c/impl/tokenize.ipp>
