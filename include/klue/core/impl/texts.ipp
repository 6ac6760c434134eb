#include <klue/core/texts.hpp>

namespace klue {

Texts::Texts(std::initializer_list<Element> texts) {
  texts_.reserve(texts.size());
  for (const Element& element : texts)
    texts_.push_back(element.texts_);
}

Texts::Texts(const TextPair& texts) : texts_{texts} {}

void Texts::reserve(std::size_t size) {
  texts_.reserve(size);
}

void Texts::push_back(const TextPair& texts) {
  texts_.push_back(texts);
}

std::string_view Texts::keep(std::string text) {
  return kept_.emplace_back(std::move(text));
}

}  // namespace klue
