#include <iostream>

#include <klue/klue.hpp>

int main() {
  std::cout << klue::version() << "\n";
  return klue::version() == KLUE_VERSION_STRING ? 0 : 1;
}
