#include <iostream>

#include <klue/hub.hpp>
#include <klue/klue.hpp>

// Looks for the model argv[2] in the cache argv[1], and nowhere else.
int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  const auto directory = klue::hub::fetch(argv[2], {.cache = argv[1], .offline = true});
  std::cout << klue::Model::load(directory).info().weights_format << "\n";
} catch (const klue::Error& error) {
  std::cerr << "hub_consumer: " << error.what() << "\n";
  return 1;
}
