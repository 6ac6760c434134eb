#include <iostream>
#include <memory>

#include <klue/klue.hpp>
#include <klue/train.hpp>

// A step of fine-tuning the model argv[1] to make embeddings.
int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  const std::filesystem::path model = argv[1];
  klue::train::Trainer trainer(
      klue::train::Network<float>(
          {klue::read_encoder_config(model / "config.json"), klue::train::Head::embedding},
          klue::open_checkpoint(model), 1, std::make_shared<klue::ThreadPool>(1)),
      klue::train::Objective::cosine_squared_error, {.schedule = {.steps = 10}});
  klue::train::Example pair;
  pair.ids = {0, 10, 11, 2};
  pair.second = {0, 12, 2};
  pair.values = {0.5};
  const klue::train::Example* batch[] = {&pair};
  std::cout << "step " << trainer.step(batch).step << "\n";
} catch (const klue::Error& error) {
  std::cerr << "train_consumer: " << error.what() << "\n";
  return 1;
}
