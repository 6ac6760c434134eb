// How similar two sentences are, in C.
//
//     c_similarity MODEL SENTENCE SENTENCE

#include <stdio.h>
#include <stdlib.h>

#include <klue/klue.h>

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "Usage: c_similarity MODEL SENTENCE SENTENCE\n");
    return 2;
  }
  klue_model* model = NULL;
  float* vectors = NULL;
  klue_model_info info = {.struct_size = sizeof info};
  const klue_text texts[2] = {klue_text_of(argv[2]), klue_text_of(argv[3])};

  klue_status status = klue_model_load(argv[1], NULL, &model);
  if (status == KLUE_OK) status = klue_model_get_info(model, &info);
  if (status == KLUE_OK) {
    vectors = malloc(2 * info.embedding_size * sizeof *vectors);
    if (vectors == NULL) abort();
    status = klue_model_embed(model, texts, 2, NULL, vectors, 2 * info.embedding_size);
  }
  if (status == KLUE_OK)
    printf("%.4f\n",
           klue_cosine_similarity(vectors, vectors + info.embedding_size, info.embedding_size));
  else
    fprintf(stderr, "c_similarity: %s\n", klue_error_message());
  free(vectors);
  klue_model_free(model);
  return status == KLUE_OK ? 0 : 1;
}
