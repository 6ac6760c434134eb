#include <iostream>

#include <klue/klue.hpp>

// Embeds two sentences in one step and a pair of them in two, with the model directory argv[1].
int main(int argc, char** argv) try {
  const auto model = klue::Model::load(argc > 1 ? argv[1] : ".");
  const auto vectors = model.embed({"첫 번째 문장", "두 번째 문장"}, {.normalize = true});
  const auto premises = model.preprocessor().tokenize({"첫 번째 문장"});
  const auto hypotheses = model.preprocessor().tokenize({"두 번째 문장"});
  const auto packed = model.preprocessor().bert_pack_inputs({premises, hypotheses}, 32);
  const auto encoded = model.encoder()(packed);
  std::cout << "embeddings " << klue::shape_string(vectors.shape()) << "\nsequence_output "
            << klue::shape_string(encoded.sequence_output.shape()) << "\ncosine "
            << klue::cosine_similarity(vectors.at(0), vectors.at(1)) << "\n";
} catch (const klue::Error& error) {
  std::cerr << "consumer: " << error.what() << "\n";
  return 1;
}
