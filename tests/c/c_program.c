// The C API as a C program uses it, compiled as C11 with every warning an error. It prints what is
// wrong and exits with 1, or says "passed"; .ci/run runs it under Valgrind, too.

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <klue/klue.h>

static int failures = 0;

static void check(int holds, int line, const char* what) {
  if (holds) return;
  printf("line %d: %s; the last error is \"%s\"\n", line, what, klue_error_message());
  ++failures;
}
#define CHECK(condition) check((condition), __LINE__, #condition)
#define CHECK_OK(call) check((call) == KLUE_OK, __LINE__, #call)
#define CHECK_TEXT(actual, expected) check(strcmp((actual), (expected)) == 0, __LINE__, #actual)

static char* path_of(const char* fixture, const char* file) {
  const size_t size = strlen(KLUE_FIXTURE_DIR) + strlen(fixture) + strlen(file) + 3;
  char* path = malloc(size);
  snprintf(path, size, "%s/%s%s%s", KLUE_FIXTURE_DIR, fixture, file[0] ? "/" : "", file);
  return path;
}

static klue_model* load(const char* fixture) {
  klue_load_options options = {.struct_size = sizeof options, .threads = 2};
  klue_model* model = NULL;
  char* path = path_of(fixture, "");
  CHECK_OK(klue_model_load(path, &options, &model));
  free(path);
  if (model == NULL) exit(1);
  return model;
}

static void errors(void) {
  CHECK_TEXT(klue_version(), KLUE_VERSION_STRING);
  CHECK_TEXT(klue_error_message(), "");
  CHECK_TEXT(klue_status_name(KLUE_ERROR_FORMAT), "format");
  CHECK_TEXT(klue_status_name(12345), "unknown");

  klue_model* model = (klue_model*)&failures;
  CHECK(klue_model_load("/no/such/model", NULL, &model) == KLUE_ERROR_IO);
  CHECK(model == NULL);
  CHECK_TEXT(klue_error_file(), "/no/such/model");
  CHECK_TEXT(klue_error_message(), "/no/such/model: no such model directory");
  CHECK_TEXT(klue_error_field(), "");

  CHECK(klue_model_load(NULL, NULL, &model) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "directory");
  CHECK(klue_model_load("/no/such/model", NULL, NULL) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "out");
  CHECK(klue_model_embed(NULL, NULL, 0, NULL, NULL, 0) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "model");

  klue_load_options options = {.struct_size = sizeof options, .engine = 99};
  CHECK(klue_model_load("/no/such/model", &options, &model) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "engine");
  CHECK_TEXT(klue_error_expected(), "0 to 3");
  CHECK_TEXT(klue_error_actual(), "99");

  CHECK(klue_set_error(KLUE_ERROR_IO, "mine", "a", NULL, "c", "d") == KLUE_ERROR_IO);
  CHECK_TEXT(klue_error_message(), "mine");
  CHECK_TEXT(klue_error_field(), "");
  CHECK_TEXT(klue_error_expected(), "c");

  klue_model_free(NULL);
  klue_encoding_free(NULL);
  klue_labels_free(NULL);
  klue_string_free(NULL);
  klue_stop_free(NULL);
}

// Programs that were compiled with older and with newer headers.
static void options_of_other_versions(void) {
  struct {
    klue_load_options known;
    size_t newer;
  } options;
  memset(&options, 0, sizeof options);
  klue_model* model = NULL;
  CHECK(klue_model_load("/no/such/model", &options.known, &model) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "struct_size");
  options.known.struct_size = sizeof options;
  CHECK(klue_model_load("/no/such/model", &options.known, &model) == KLUE_ERROR_IO);
  options.newer = 1;
  CHECK(klue_model_load("/no/such/model", &options.known, &model) == KLUE_ERROR_UNSUPPORTED);
  options.known.struct_size = offsetof(klue_load_options, engine);
  options.known.engine = 99;  // behind what the caller knows
  CHECK(klue_model_load("/no/such/model", &options.known, &model) == KLUE_ERROR_IO);
  options.known.struct_size = 1u << 20;
  CHECK(klue_model_load("/no/such/model", &options.known, &model) == KLUE_ERROR_USAGE);
}

static void* fail_elsewhere(void* unused) {
  (void)unused;
  CHECK_TEXT(klue_error_message(), "");
  klue_set_error(KLUE_ERROR_IO, "elsewhere", NULL, NULL, NULL, NULL);
  return NULL;
}

static void errors_of_threads(void) {
  klue_set_error(KLUE_ERROR_IO, "here", NULL, NULL, NULL, NULL);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, fail_elsewhere, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_TEXT(klue_error_message(), "here");
}

static int count_calls(void* user, size_t done, size_t of) {
  CHECK(done <= of && of == 2);
  ++*(int*)user;
  return 0;
}

static int stop_at_once(void* user, size_t done, size_t of) {
  (void)user, (void)done, (void)of;
  return 1;
}

static void embed(void) {
  klue_model* model = load("tiny-11");
  klue_model_info info = {.struct_size = sizeof info};
  CHECK_OK(klue_model_get_info(model, &info));
  CHECK(info.embedding_size == 32 && info.hidden_size == 32 && info.threads == 2);
  CHECK(info.memory_bytes > 10000 && info.vocabulary_size > 10);
  CHECK_TEXT(info.weights_format, "safetensors");
  CHECK_TEXT(info.head, "masked language model");

  const klue_text texts[2] = {klue_text_of("이 다는 사람"), {"전NUL이 없다", 3, NULL, 0}};
  float vectors[2][32], alone[32];
  CHECK_OK(klue_model_embed(model, texts, 2, NULL, &vectors[0][0], 64));
  CHECK_OK(klue_model_embed(model, texts + 1, 1, NULL, alone, 32));
  CHECK(memcmp(vectors[1], alone, sizeof alone) == 0);
  const klue_text same = klue_text_of("전");
  CHECK_OK(klue_model_embed(model, &same, 1, NULL, alone, 32));
  CHECK(memcmp(vectors[1], alone, sizeof alone) == 0);
  CHECK(fabsf(klue_cosine_similarity(vectors[0], vectors[0], 32) - 1) < 1e-5f);
  CHECK(klue_cosine_similarity(vectors[0], vectors[1], 32) < 0.9999f);

  CHECK(klue_model_embed(model, texts, 2, NULL, &vectors[0][0], 63) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_expected(), "64 numbers");
  CHECK_OK(klue_model_embed(model, NULL, 0, NULL, NULL, 0));
  const klue_text null = {NULL, 3, NULL, 0};
  CHECK(klue_model_embed(model, &null, 1, NULL, alone, 32) == KLUE_ERROR_USAGE);

  int calls = 0;
  klue_text_report reports[2];
  klue_embed_options options = {.struct_size = sizeof options,
                                .pooling = KLUE_POOLING_CLS,
                                .normalize = KLUE_YES,
                                .max_length = 4,
                                .progress = count_calls,
                                .user = &calls,
                                .reports = reports};
  CHECK_OK(klue_model_embed(model, texts, 2, &options, &vectors[0][0], 64));
  CHECK(calls >= 2);
  CHECK(reports[0].kept == 4 && reports[0].tokens > 4 && reports[1].tokens == reports[1].kept);
  double length = 0;
  for (int i = 0; i < 32; ++i)
    length += (double)vectors[0][i] * vectors[0][i];
  CHECK(fabs(length - 1) < 1e-5);

  options.progress = stop_at_once;
  CHECK(klue_model_embed(model, texts, 2, &options, &vectors[0][0], 64) == KLUE_STOPPED);
  klue_stop* stop = NULL;
  CHECK_OK(klue_stop_new(&stop));
  options.progress = NULL;
  options.stop = stop;
  CHECK_OK(klue_model_embed(model, texts, 2, &options, &vectors[0][0], 64));
  klue_stop_request(stop);
  CHECK(klue_model_embed(model, texts, 2, &options, &vectors[0][0], 64) == KLUE_STOPPED);
  klue_stop_free(stop);
  klue_model_free(model);
}

static void encode(void) {
  klue_model* model = load("tiny-11");
  klue_model_info info = {.struct_size = sizeof info};
  CHECK_OK(klue_model_get_info(model, &info));
  CHECK(info.layers == 2 && info.has_pooler == 1);
  const klue_text texts[2] = {klue_text_of("이 다는 사람"), klue_text_of("전")};
  size_t length = 0;
  CHECK_OK(klue_row_length(model, texts, 2, NULL, &length));
  CHECK(length == 7);  // [CLS], five pieces, [SEP]
  float sequence[2][7][32], pooled[2][32], first[2][32];
  size_t counts[2] = {0, 0};
  klue_outputs out = {.struct_size = sizeof out,
                      .sequence_output = &sequence[0][0][0],
                      .sequence_size = 2 * 7 * 32,
                      .pooled_output = &pooled[0][0],
                      .pooled_size = 2 * 32,
                      .token_counts = counts};
  CHECK_OK(klue_model_encode(model, texts, 2, NULL, &out));
  CHECK(counts[0] == 7 && counts[1] == 3);
  for (int i = 0; i < 32; ++i) {
    CHECK(sequence[1][2][i] != 0 && sequence[1][3][i] == 0 && sequence[1][6][i] == 0);
    CHECK(fabsf(pooled[0][i]) < 1);  // tanh
  }
  klue_embed_options cls = {.struct_size = sizeof cls, .pooling = KLUE_POOLING_CLS};
  CHECK_OK(klue_model_embed(model, texts, 2, &cls, &first[0][0], 64));
  for (int i = 0; i < 32; ++i)
    CHECK(fabsf(first[0][i] - sequence[0][0][i]) < 1e-5f);

  out.sequence_size = 2 * 7 * 32 - 1;
  CHECK(klue_model_encode(model, texts, 2, NULL, &out) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "sequence_output");
  CHECK_TEXT(klue_error_expected(), "448 numbers");
  CHECK_TEXT(klue_error_actual(), "447");
  out.sequence_output = NULL;  // only the pooled output, whose memory alone counts then
  CHECK_OK(klue_model_encode(model, texts, 2, NULL, &out));
  out.pooled_size = 1;
  CHECK(klue_model_encode(model, texts, 2, NULL, &out) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "pooled_output");
  CHECK(klue_model_encode(model, texts, 2, NULL, NULL) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "out");
  klue_encode_options options = {.struct_size = sizeof options, .padded_rows = 2};
  CHECK(klue_model_encode(model, texts, 2, &options, &out) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "padded_rows");
  options.padded_rows = KLUE_PADDED_ROWS_ZERO;
  options.seq_length = 1u << 20;
  CHECK(klue_row_length(model, texts, 2, &options, &length) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "seq_length");
  CHECK(length == 0);
  CHECK_OK(klue_row_length(model, NULL, 0, NULL, &length));
  const klue_outputs nothing = {.struct_size = sizeof nothing};
  CHECK_OK(klue_model_encode(model, NULL, 0, NULL, &nothing));
  CHECK_OK(klue_model_encode(model, texts, 2, NULL, &nothing));
  klue_model_free(model);

  model = load("tiny-11-no-pooler");
  CHECK_OK(klue_model_get_info(model, &info));
  CHECK(info.has_pooler == 0);
  out.pooled_size = 64;
  CHECK(klue_model_encode(model, texts, 2, NULL, &out) == KLUE_ERROR_USAGE);
  CHECK_TEXT(klue_error_field(), "pooler.dense.weight");
  klue_model_free(model);
}

// ------------------------------------------------------------------------- models in memory

static const char* const kNames[] = {"config.json", "vocab.txt", "model.safetensors"};
enum { kFiles = 3 };

static void* read_file(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  void* data = malloc(*size + 1);
  CHECK(fread(data, 1, *size, file) == *size);
  fclose(file);
  return data;
}

static int released = 0;

static void count_and_free(void* data) {
  ++released;
  free(data);
}

static int find_in_fixture(void* user, const char* name, klue_found_file* file) {
  ++*(int*)user;
  char* path = path_of("tiny-11", name);
  file->data = read_file(path, &file->size);
  free(path);
  if (file->data == NULL) return 0;
  file->release = count_and_free;
  file->owner = (void*)file->data;
  return 1;
}

static int fail_to_find(void* user, const char* name, klue_found_file* file) {
  (void)user, (void)file;
  klue_set_error(KLUE_ERROR_FORMAT, "the key is wrong", name, NULL, NULL, NULL);
  return -1;
}

static int fail_silently(void* user, const char* name, klue_found_file* file) {
  (void)user, (void)name, (void)file;
  return -1;
}

static void models_in_memory(void) {
  const klue_text text = klue_text_of("이 다는 사람");
  float expected[32], vector[32];
  klue_model* model = load("tiny-11");
  CHECK_OK(klue_model_embed(model, &text, 1, NULL, expected, 32));
  klue_model_free(model);

  klue_file files[kFiles];
  for (int i = 0; i < kFiles; ++i) {
    char* path = path_of("tiny-11", kNames[i]);
    files[i].name = kNames[i];
    files[i].data = read_file(path, &files[i].size);
    free(path);
    CHECK(files[i].data != NULL);
  }
  CHECK_OK(klue_model_load_memory(files, kFiles, NULL, &model));
  CHECK_OK(klue_model_embed(model, &text, 1, NULL, vector, 32));
  CHECK(memcmp(vector, expected, sizeof vector) == 0);
  klue_model_free(model);
  CHECK(klue_model_load_memory(files + 1, kFiles - 1, NULL, &model) == KLUE_ERROR_IO);
  CHECK_TEXT(klue_error_file(), "memory/config.json");
  for (int i = 0; i < kFiles; ++i)
    free((void*)files[i].data);

  int asked = 0;
  CHECK_OK(klue_model_load_files(find_in_fixture, &asked, NULL, &model));
  CHECK(asked >= kFiles);
  const int before = released;
  CHECK_OK(klue_model_embed(model, &text, 1, NULL, vector, 32));
  CHECK(memcmp(vector, expected, sizeof vector) == 0);
  klue_model_free(model);
  CHECK(released == before + 1);  // the weights; the others were read and let go

  CHECK(klue_model_load_files(fail_to_find, NULL, NULL, &model) == KLUE_ERROR_FORMAT);
  CHECK_TEXT(klue_error_message(), "the key is wrong");
  CHECK(klue_model_load_files(fail_silently, NULL, NULL, &model) == KLUE_ERROR_INTERNAL);
  CHECK_TEXT(klue_error_message(), "a callback failed");
  CHECK(klue_model_load_files(NULL, NULL, NULL, &model) == KLUE_ERROR_USAGE);
}

// ------------------------------------------------------------------------ tokens and tasks

static void tokenize(void) {
  klue_tokenizer *tokenizer = NULL, *of_model = NULL;
  char* path = path_of("tiny-11", "");
  CHECK_OK(klue_tokenizer_load(path, NULL, &tokenizer));
  free(path);
  klue_model* model = load("tiny-11");
  CHECK_OK(klue_tokenizer_of_model(model, &of_model));
  klue_model_free(model);  // the tokenizer keeps it

  klue_encoding *encoding = NULL, *same = NULL, *bare = NULL;
  const klue_text pair = klue_text_pair_of("이 다는", "사람");
  CHECK_OK(klue_tokenize(tokenizer, pair, NULL, &encoding));
  CHECK_OK(klue_tokenize(of_model, pair, NULL, &same));
  const size_t size = klue_encoding_size(encoding);
  CHECK(size > 4 && size == klue_encoding_size(same));
  CHECK(memcmp(klue_encoding_ids(encoding), klue_encoding_ids(same), size * sizeof(int32_t)) == 0);
  CHECK_TEXT(klue_encoding_token(encoding, 0), "[CLS]");
  CHECK_TEXT(klue_encoding_token(encoding, size - 1), "[SEP]");
  CHECK(klue_encoding_token(encoding, size) == NULL);
  CHECK(klue_encoding_offsets(encoding)[1].begin == 0);
  CHECK(klue_encoding_offsets(encoding)[1].end == 3);  // the bytes of the first syllable
  CHECK(klue_encoding_sequence_ids(encoding)[0] == -1);
  CHECK(klue_encoding_sequence_ids(encoding)[size - 2] == 1);

  klue_tokenize_options options = {
      .struct_size = sizeof options, .max_length = 3, .without_special_tokens = 1};
  CHECK_OK(klue_tokenize(tokenizer, pair, &options, &bare));
  CHECK(klue_encoding_size(bare) == 3);
  options.truncation = KLUE_TRUNCATION_ERROR;
  klue_encoding* none = NULL;
  CHECK(klue_tokenize(tokenizer, pair, &options, &none) == KLUE_ERROR_USAGE);
  CHECK(none == NULL);

  char* text = NULL;
  CHECK_OK(klue_decode(tokenizer, klue_encoding_ids(encoding), size, 0, &text));
  CHECK_TEXT(text, "이 다는 사람");
  klue_string_free(text);
  CHECK_OK(klue_decode(tokenizer, klue_encoding_ids(encoding), size, 1, &text));
  CHECK(strncmp(text, "[CLS]", 5) == 0);
  klue_string_free(text);
  const int32_t wrong = -5;
  CHECK(klue_decode(tokenizer, &wrong, 1, 0, &text) == KLUE_ERROR_USAGE);

  klue_encoding_free(encoding);
  klue_encoding_free(same);
  klue_encoding_free(bare);
  klue_tokenizer_free(tokenizer);
  klue_tokenizer_free(of_model);
}

static void classify(void) {
  klue_model* model = load("tiny-11-seqcls");
  klue_classifier* classifier = NULL;
  CHECK_OK(klue_classifier_new(model, &classifier));
  klue_tagger* tagger = NULL;
  CHECK(klue_tagger_new(model, &tagger) == KLUE_ERROR_USAGE);
  klue_model_free(model);
  const klue_text texts[2] = {klue_text_of("이 다는 사람"), klue_text_pair_of("전", "대")};
  klue_labels* labels = NULL;
  CHECK_OK(klue_classify(classifier, texts, 2, NULL, &labels));
  size_t count = 0;
  const klue_label* of_pair = klue_labels_at(labels, 1, &count);
  CHECK(count == 3);
  double sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += of_pair[i].score;
  CHECK(fabs(sum - 1) < 1e-6 && of_pair[0].score >= of_pair[1].score);
  CHECK(strncmp(of_pair[0].name, "LABEL_", 6) == 0);
  CHECK(klue_labels_at(labels, 2, &count) == NULL && count == 0);
  CHECK(klue_labels_at(NULL, 0, &count) == NULL);
  klue_labels_free(labels);
  klue_classify_options options = {.struct_size = sizeof options, .top_k = 1};
  CHECK_OK(klue_classify(classifier, texts, 2, &options, &labels));
  klue_labels_at(labels, 0, &count);
  CHECK(count == 1);
  klue_labels_free(labels);
  klue_classifier_free(classifier);
}

static void other_tasks(void) {
  klue_model* model = load("tiny-11-rank");
  klue_ranker* ranker = NULL;
  CHECK_OK(klue_ranker_new(model, &ranker));
  klue_model_free(model);
  const klue_text pairs[2] = {klue_text_pair_of("이 다는", "사람"), klue_text_pair_of("전", "대")};
  double scores[2] = {-1, -1};
  CHECK_OK(klue_rank(ranker, pairs, 2, NULL, scores));
  CHECK(scores[0] > 0 && scores[0] < 1 && scores[1] > 0 && scores[1] < 1);
  const klue_text single = klue_text_of("전");
  CHECK(klue_rank(ranker, &single, 1, NULL, scores) == KLUE_ERROR_USAGE);
  klue_ranker_free(ranker);

  model = load("tiny-11-tokcls");
  klue_tagger* tagger = NULL;
  CHECK_OK(klue_tagger_new(model, &tagger));
  klue_model_free(model);
  klue_entities* entities = NULL;
  CHECK_OK(klue_tag(tagger, pairs[0].pair_data ? &single : NULL, 1, NULL, &entities));
  size_t count = 0;
  const klue_entity* found = klue_entities_at(entities, 0, &count);
  CHECK(count == 1 && found[0].offset.end == 3 && found[0].code_points.end == 1);
  klue_entities_free(entities);
  klue_tagger_free(tagger);

  model = load("tiny-11-qa");
  klue_answerer* answerer = NULL;
  CHECK_OK(klue_answerer_new(model, &answerer));
  klue_model_free(model);
  klue_answers* answers = NULL;
  klue_answer_options answering = {.struct_size = sizeof answering, .top_k = 2};
  CHECK_OK(klue_answer_questions(answerer, pairs, 2, &answering, &answers));
  const klue_answer* best = klue_answers_at(answers, 0, &count);
  CHECK(count >= 1 && strlen(best[0].text) == best[0].offset.end - best[0].offset.begin);
  CHECK(klue_answers_null_score(answers, 0) > 0);
  klue_answers_free(answers);
  CHECK(klue_answer_questions(answerer, &single, 1, NULL, &answers) == KLUE_ERROR_USAGE);
  klue_answerer_free(answerer);

  model = load("tiny-11-mlm");
  klue_mask_filler* filler = NULL;
  CHECK_OK(klue_mask_filler_new(model, &filler));
  klue_model_free(model);
  klue_fillings* fillings = NULL;
  klue_fill_options filling = {.struct_size = sizeof filling, .top_k = 3};
  CHECK_OK(klue_fill_mask(filler, klue_text_of("이 [MASK] 사람 [MASK]"), &filling, &fillings));
  const klue_filling* second = klue_fillings_at(fillings, 1, &count);
  CHECK(count == 3 && second[0].score >= second[1].score && second[0].token_text[0] != '\0');
  CHECK(klue_fillings_at(fillings, 2, &count) == NULL);
  klue_fillings_free(fillings);
  const char* const targets[] = {"전", "대"};
  filling.targets = targets;
  filling.target_count = 2;
  CHECK_OK(klue_fill_mask(filler, klue_text_of("이 [MASK]"), &filling, &fillings));
  klue_fillings_at(fillings, 0, &count);
  CHECK(count == 2);
  klue_fillings_free(fillings);
  CHECK(klue_fill_mask(filler, single, NULL, &fillings) == KLUE_ERROR_USAGE);
  klue_mask_filler_free(filler);
}

int main(void) {
  errors();
  options_of_other_versions();
  errors_of_threads();
  embed();
  encode();
  models_in_memory();
  tokenize();
  classify();
  other_tasks();
  if (failures == 0) puts("passed");
  return failures == 0 ? 0 : 1;
}
