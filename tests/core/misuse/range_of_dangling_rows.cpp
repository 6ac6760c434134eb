// Each row ends before its text is read.
#include <iterator>

#include <klue/core/texts.hpp>
struct Row {
  std::string body;
  operator klue::TextPair() const { return {body, std::nullopt}; }
};
struct Rows {  // what views::transform does
  struct Iterator {
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    Row operator*() const;
    Iterator& operator++();
    void operator++(int);
    bool operator==(const Iterator&) const;
  };
  Iterator begin() const;
  Iterator end() const;
};
int count(const klue::Texts& texts);
const int n = count(Rows());
