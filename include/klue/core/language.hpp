#pragma once

// A missing header stops the compiler; after an #error alone it would go on, and bury the sentence
// under what follows from it.
#if __cplusplus < 202002L
#error "klue-roberta needs C++20: compile with -std=c++20"
#include <klue/needs_cxx20>
#elif !defined(__cpp_exceptions)
#error "klue-roberta needs exceptions: compile without -fno-exceptions"
#include <klue/needs_exceptions>
#endif

/// Marks what a shared library exports. Everything else in it is hidden.
#define KLUE_EXPORT __attribute__((visibility("default")))
