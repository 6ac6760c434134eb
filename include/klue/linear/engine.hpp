#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <klue/core/language.hpp>

namespace klue {

/// What multiplies the weights.
enum class Engine : std::uint8_t {
  automatic,  ///< packed: the fastest one wherever all were measured
  packed,     ///< this library's own: weights packed once, blocks in registers, every precision
  eigen,      ///< Eigen's matrix product, f32 only; on a BLAS where the library was built with one
  onednn      ///< Intel's oneDNN, where the library was built with it
};

/// All of them, in the order of a command's help.
inline constexpr Engine kEngines[] = {Engine::automatic, Engine::packed, Engine::eigen,
                                      Engine::onednn};

/// What a caller may ask for in this build; packed first.
KLUE_EXPORT std::span<const Engine> available_engines() noexcept;

/// "packed": how commands spell it.
constexpr std::string_view engine_name(Engine engine) {
  switch (engine) {
    case Engine::automatic:
      return "auto";
    case Engine::packed:
      return "packed";
    case Engine::eigen:
      return "eigen";
    case Engine::onednn:
      return "onednn";
  }
  return "";
}

}  // namespace klue
