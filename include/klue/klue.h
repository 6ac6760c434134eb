#ifndef KLUE_KLUE_H
#define KLUE_KLUE_H

/// The library for C and for every language that can call C: Korean text in, vectors and answers
/// out. C11, and C++ as well. Part of `klue::roberta`; who has only the headers compiles
/// <klue/src.hpp> into one C++ file.
///
///     klue_model *model;
///     if (klue_model_load("klue-roberta-base", NULL, &model) != KLUE_OK)
///       return fprintf(stderr, "%s\n", klue_error_message()), 1;
///     klue_text texts[2] = {klue_text_of("첫 번째 문장"), klue_text_of("두 번째 문장")};
///     float vectors[2][768];
///     klue_model_embed(model, texts, 2, NULL, &vectors[0][0], 2 * 768);
///     klue_model_free(model);
///
/// What holds for everything here:
///
/// - A function that can fail returns a klue_status, which is KLUE_OK or says what kind of error it
///   was; klue_error_message() and its neighbours then have the details, for each thread its own.
///   Results come through the last arguments, and are untouched, or NULL, after an error. Nothing
///   of C++ passes this boundary, and no exception.
/// - Text is UTF-8, in and out; what is not valid counts as U+FFFD and is no error. Text that comes
///   out ends with a NUL.
/// - Options are structs whose first member is their size, set by the caller: a program keeps
///   working with a newer library, which has more options than it knows. Every other member has its
///   default where it is 0, and NULL is all defaults:
///
///       klue_load_options options = {.struct_size = sizeof options, .threads = 2};
///
/// - What a `…_new` or `…_load` or an argument called `out` makes is the caller's, to be given to
///   the `…_free` of its type, which takes NULL as well. What is asked of such an object belongs to
///   it and ends with it.
/// - Models and tasks never change: any number of threads may call one at once. A task keeps its
///   model: it may be freed while tasks of it live.

#include <stddef.h>
#include <stdint.h>

#include <klue/version.hpp>

/// Marks what the shared library exports.
#define KLUE_C_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

// ------------------------------------------------------------------------------ version, errors

/// "0.2.0": of the library that is linked; KLUE_VERSION_STRING is that of the headers.
KLUE_C_API const char* klue_version(void);

/// The outcome of a call. Later versions may have more; treat what you do not know as an error.
typedef int32_t klue_status;
enum {
  KLUE_OK = 0,
  KLUE_ERROR_USAGE = 1,        ///< the caller asked for something that cannot be
  KLUE_ERROR_FORMAT = 2,       ///< a file is not what it claims to be, or contradicts another
  KLUE_ERROR_UNSUPPORTED = 3,  ///< a file is sound but asks for what this library does not do
  KLUE_ERROR_IO = 4,           ///< the operating system refused
  KLUE_STOPPED = 5,            ///< the caller stopped the call; nothing is wrong
  KLUE_ERROR_MEMORY = 6,       ///< no memory left
  KLUE_ERROR_INTERNAL = 7      ///< anything else: a defect of this library, or of a callback
};

/// "usage": for people. Never NULL.
KLUE_C_API const char* klue_status_name(klue_status status);

/// What was wrong in the last call of this thread that failed, one line for people: "config.json:
/// hidden_size: missing key". The parts it is made of are the file, the field (tensor, JSON key,
/// argument), what would have been right and what was found; each may be "". Never NULL, and valid
/// until the thread's next call. A call that succeeds changes none of them.
KLUE_C_API const char* klue_error_message(void);
KLUE_C_API const char* klue_error_file(void);
KLUE_C_API const char* klue_error_field(void);
KLUE_C_API const char* klue_error_expected(void);
KLUE_C_API const char* klue_error_actual(void);

/// Sets them, for a callback that fails (and for klue_hub.h). Any may be NULL. Returns `status`.
KLUE_C_API klue_status klue_set_error(klue_status status, const char* message, const char* file,
                                      const char* field, const char* expected, const char* actual);

// ---------------------------------------------------------------------------------------- texts

/// The length of a text that ends with a NUL.
#define KLUE_UNTIL_NUL ((size_t)-1)

/// One text, or two that belong together (premise and hypothesis, query and document).
typedef struct klue_text {
  const char* data;       ///< may be NULL where size is 0
  size_t size;            ///< bytes, or KLUE_UNTIL_NUL
  const char* pair_data;  ///< NULL: one text
  size_t pair_size;       ///< bytes, or KLUE_UNTIL_NUL
} klue_text;

/// One text that ends with a NUL.
static inline klue_text klue_text_of(const char* text) {
  klue_text result = {text, KLUE_UNTIL_NUL, NULL, 0};
  return result;
}

/// Two of them.
static inline klue_text klue_text_pair_of(const char* text, const char* pair) {
  klue_text result = {text, KLUE_UNTIL_NUL, pair, KLUE_UNTIL_NUL};
  return result;
}

/// A part of a text, [begin, end).
typedef struct klue_offset {
  size_t begin;  ///< the first
  size_t end;    ///< behind the last
} klue_offset;

// --------------------------------------------------------------------------------------- models

typedef struct klue_model klue_model;

typedef int32_t klue_engine;
enum {
  KLUE_ENGINE_AUTO = 0,
  KLUE_ENGINE_PACKED = 1,
  KLUE_ENGINE_EIGEN = 2,
  KLUE_ENGINE_ONEDNN = 3
};

typedef int32_t klue_precision;
enum { KLUE_PRECISION_F32 = 0, KLUE_PRECISION_BF16 = 1, KLUE_PRECISION_INT8 = 2 };

typedef int32_t klue_dialect;
enum { KLUE_DIALECT_OF_MODEL = 0, KLUE_DIALECT_HUGGINGFACE = 1, KLUE_DIALECT_TENSORFLOW = 2 };

/// As klue::LoadOptions (klue/model.hpp) says.
typedef struct klue_load_options {
  size_t struct_size;        ///< sizeof this struct
  size_t threads;            ///< 0: all the process may use
  klue_engine engine;        ///< what multiplies the weights
  klue_precision precision;  ///< of what is multiplied
  klue_dialect dialect;      ///< whose tokenization
  const char* preprocessor;  ///< where the tokenizer's files are; NULL: in the model
  size_t batch_tokens;       ///< 0: 256
  size_t weight_expansion;   ///< 0: 4
} klue_load_options;

/// Opens a model directory of any supported format, as Model::load does. A model by name:
/// klue_hub.h.
KLUE_C_API klue_status klue_model_load(const char* directory, const klue_load_options* options,
                                       klue_model** out);

/// A file that is in memory.
typedef struct klue_file {
  const char* name;  ///< in the model directory: "config.json", "1_Pooling/config.json"
  const void* data;  ///< the first byte
  size_t size;       ///< bytes
} klue_file;

/// A model whose files are in memory. They are not copied: they must stay until the model and all
/// tasks of it are freed.
KLUE_C_API klue_status klue_model_load_memory(const klue_file* files, size_t count,
                                              const klue_load_options* options, klue_model** out);

/// What a klue_find_file found.
typedef struct klue_found_file {
  const void* data;  ///< the first byte
  size_t size;       ///< bytes
  /// Called with `owner` once nothing reads the bytes any more, on any thread; NULL: never.
  void (*release)(void* owner);
  void* owner;  ///< handed to release
} klue_found_file;

/// Finds a file of a model by its name. Returns 1 with `file` filled in, 0 where there is no such
/// file, and -1 where it failed: what klue_set_error was told is then the error of the load. Called
/// on the thread that loads, at most once for each name.
typedef int (*klue_find_file)(void* user, const char* name, klue_found_file* file);

/// A model whose files come from an archive of the caller's own, or have to be decrypted first.
KLUE_C_API klue_status klue_model_load_files(klue_find_file find, void* user,
                                             const klue_load_options* options, klue_model** out);

KLUE_C_API void klue_model_free(klue_model* model);

/// What was loaded. Texts belong to the model.
typedef struct klue_model_info {
  size_t struct_size;          ///< sizeof this struct
  const char* engine;          ///< "packed, AVX-512, f32"
  const char* weights_format;  ///< "safetensors"
  const char* head;            ///< "classifier on the first token"; "" where there is none
  size_t threads;              ///< that may work on one call
  size_t embedding_size;       ///< numbers of a vector of KLUE_POOLING_AUTO
  size_t hidden_size;          ///< of any other pooling
  size_t max_length;           ///< tokens that are kept of a text unless a call says otherwise
  size_t vocabulary_size;      ///< pieces of the tokenizer
  size_t memory_bytes;         ///< as Model::memory_bytes() says, at this moment
  int32_t normalize;           ///< 1: vectors have length 1 unless a call says otherwise; else 0
  int32_t has_pooler;          ///< 1: klue_model_encode can give a pooled_output; else 0
  size_t layers;               ///< of the encoder
} klue_model_info;

/// Fills in `info`, whose struct_size says how much of it the caller knows.
KLUE_C_API klue_status klue_model_get_info(const klue_model* model, klue_model_info* info);

// ----------------------------------------------------------------------------------- embeddings

typedef int32_t klue_pooling;
enum {
  KLUE_POOLING_AUTO = 0,  ///< what the model directory says, else mean
  KLUE_POOLING_POOLER = 1,
  KLUE_POOLING_CLS = 2,
  KLUE_POOLING_MEAN = 3,
  KLUE_POOLING_MAX = 4,
  KLUE_POOLING_MEAN_SQRT_LEN = 5
};

typedef int32_t klue_choice;
enum { KLUE_OF_MODEL = 0, KLUE_YES = 1, KLUE_NO = 2 };

typedef int32_t klue_truncation;
enum {
  KLUE_TRUNCATION_OF_MODEL = 0,
  KLUE_TRUNCATION_LONGEST_FIRST = 1,
  KLUE_TRUNCATION_ONLY_FIRST = 2,
  KLUE_TRUNCATION_ONLY_SECOND = 3,
  KLUE_TRUNCATION_ROUND_ROBIN = 4,
  KLUE_TRUNCATION_WATERFALL = 5,
  KLUE_TRUNCATION_ERROR = 6
};

typedef int32_t klue_long_texts;
enum { KLUE_LONG_TEXTS_CUT = 0, KLUE_LONG_TEXTS_WINDOWS = 1 };

/// Ends calls from another thread: they return KLUE_STOPPED.
typedef struct klue_stop klue_stop;
KLUE_C_API klue_status klue_stop_new(klue_stop** out);
/// All calls that were given it, and all later ones. Any thread may call this.
KLUE_C_API void klue_stop_request(klue_stop* stop);
/// It may be freed while calls that were given it still run.
KLUE_C_API void klue_stop_free(klue_stop* stop);

/// What became of a text on its way to a vector.
typedef struct klue_text_report {
  size_t tokens;   ///< that it has, special tokens included
  size_t kept;     ///< of them, that its vector is made of
  size_t unknown;  ///< of those kept, that stand for what the vocabulary lacks
} klue_text_report;

/// As klue::EmbedOptions (klue/model.hpp) says.
typedef struct klue_embed_options {
  size_t struct_size;          ///< sizeof this struct
  klue_pooling pooling;        ///< how token vectors become one
  klue_choice normalize;       ///< whether vectors get length 1
  size_t max_length;           ///< 0: the model's
  klue_truncation truncation;  ///< which of a pair is cut
  klue_long_texts long_texts;  ///< what becomes of a text with too many tokens
  const klue_stop* stop;       ///< asked between parts; NULL: never
  /// Told between parts how many of the texts are done, on the calling thread. What is not 0 ends
  /// the call with KLUE_STOPPED.
  int (*progress)(void* user, size_t done, size_t of);
  void* user;                 ///< handed to the callback
  klue_text_report* reports;  ///< of the caller's, one for each text; NULL: none
} klue_embed_options;

/// One vector for each text or pair into memory of the caller's, [count, width] in C order. `size`
/// is its floats, exactly count × width; width is embedding_size of the model's info for
/// KLUE_POOLING_AUTO, hidden_size for the others. After an error its content is undefined.
KLUE_C_API klue_status klue_model_embed(const klue_model* model, const klue_text* texts,
                                        size_t count, const klue_embed_options* options, float* out,
                                        size_t size);

/// Cosine similarity of two vectors of `size` numbers, 0 where one of them is zero.
KLUE_C_API float klue_cosine_similarity(const float* a, const float* b, size_t size);

// ---------------------------------------------------------------------------------- encoder

typedef int32_t klue_padded_rows;
enum { KLUE_PADDED_ROWS_ZERO = 0, KLUE_PADDED_ROWS_REFERENCE = 1 };

/// As klue::TextOptions (klue/model.hpp) and klue::OutputOptions (klue/encoder/outputs.hpp) say.
typedef struct klue_encode_options {
  size_t struct_size;            ///< sizeof this struct
  size_t max_length;             ///< tokens of a text; 0: the model's
  size_t seq_length;             ///< tokens of every row, padding included; 0: as klue_row_length
  klue_truncation truncation;    ///< which of a pair is cut
  klue_padded_rows padded_rows;  ///< what padding becomes in the outputs
} klue_encode_options;

/// How many tokens a row has in the outputs of klue_model_encode for these texts and options, which
/// is what its memory depends on: seq_length where that is given, else as many as the longest text
/// has, or 128 in the tensorflow dialect. It only tokenizes, and 0 texts are 0 tokens long.
KLUE_C_API klue_status klue_row_length(const klue_model* model, const klue_text* texts,
                                       size_t count, const klue_encode_options* options,
                                       size_t* out);

/// Memory of the caller's for what an encoder gives, in C order, and of what size it is. What is
/// NULL is not wanted, and not computed. The others must have exactly the size of their shape.
typedef struct klue_outputs {
  size_t struct_size;      ///< sizeof this struct
  float* sequence_output;  ///< a vector for each token, [count, row length, hidden_size]
  size_t sequence_size;    ///< floats that sequence_output has room for
  float* pooled_output;    ///< a vector for each text, [count, hidden_size]; needs a has_pooler
  size_t pooled_size;      ///< floats that pooled_output has room for
  float* encoder_outputs;  ///< sequence_output of each layer, [layers, count, row length, hidden]
  size_t encoder_size;     ///< floats that encoder_outputs has room for
  size_t* token_counts;    ///< [count]: of each text, the rest of its row is padding
} klue_outputs;

/// What klue::Model::encode gives for each text or pair: vectors of its tokens, which are those
/// that klue_tokenize gives with the same max_length and truncation, and the pooled_output that the
/// checkpoint's own layer makes of the first. KLUE_ERROR_USAGE for a pooled_output that the
/// checkpoint cannot give, for memory of another size, and for a length that cannot be kept. After
/// an error the content of the memory is undefined.
KLUE_C_API klue_status klue_model_encode(const klue_model* model, const klue_text* texts,
                                         size_t count, const klue_encode_options* options,
                                         const klue_outputs* out);

// --------------------------------------------------------------------------------- tokenization

typedef struct klue_tokenizer klue_tokenizer;

/// The tokenizer of a model directory without its weights. Of the options dialect and preprocessor
/// count.
KLUE_C_API klue_status klue_tokenizer_load(const char* directory, const klue_load_options* options,
                                           klue_tokenizer** out);
/// A model's own.
KLUE_C_API klue_status klue_tokenizer_of_model(const klue_model* model, klue_tokenizer** out);
KLUE_C_API void klue_tokenizer_free(klue_tokenizer* tokenizer);

/// How a text becomes tokens.
typedef struct klue_tokenize_options {
  size_t struct_size;              ///< sizeof this struct
  size_t max_length;               ///< tokens, special ones included; 0: nothing is cut
  klue_truncation truncation;      ///< which of a pair is cut
  int32_t without_special_tokens;  ///< not 0: without them
} klue_tokenize_options;

/// The tokens of one text or pair.
typedef struct klue_encoding klue_encoding;
KLUE_C_API klue_status klue_tokenize(const klue_tokenizer* tokenizer, klue_text text,
                                     const klue_tokenize_options* options, klue_encoding** out);
KLUE_C_API void klue_encoding_free(klue_encoding* encoding);

/// How many there are; each of the following has so many elements.
KLUE_C_API size_t klue_encoding_size(const klue_encoding* encoding);
KLUE_C_API const int32_t* klue_encoding_ids(const klue_encoding* encoding);
KLUE_C_API const int32_t* klue_encoding_type_ids(const klue_encoding* encoding);
/// Bytes of the text that each stands for; [0, 0) for special tokens.
KLUE_C_API const klue_offset* klue_encoding_offsets(const klue_encoding* encoding);
/// 0 first text, 1 second, -1 special tokens.
KLUE_C_API const int32_t* klue_encoding_sequence_ids(const klue_encoding* encoding);
/// "##다"; NULL where `index` is not below the size.
KLUE_C_API const char* klue_encoding_token(const klue_encoding* encoding, size_t index);

/// Ids back to text, to be given to klue_string_free.
KLUE_C_API klue_status klue_decode(const klue_tokenizer* tokenizer, const int32_t* ids,
                                   size_t count, int32_t keep_special_tokens, char** out);
KLUE_C_API void klue_string_free(char* text);

// ---------------------------------------------------------------------------------------- tasks
//
// What fine-tuned models answer, as <klue/task.hpp> and docs/tasks.md say. Of results for several
// texts, `…_at` gives those of text `index` and their number; NULL and 0 where there are none.

typedef int32_t klue_score_function;
enum {
  KLUE_SCORE_OF_MODEL = 0,
  KLUE_SCORE_SOFTMAX = 1,
  KLUE_SCORE_SIGMOID = 2,
  KLUE_SCORE_NONE = 3
};

/// Labels of texts and pairs.
typedef struct klue_classifier klue_classifier;
KLUE_C_API klue_status klue_classifier_new(const klue_model* model, klue_classifier** out);
KLUE_C_API void klue_classifier_free(klue_classifier* classifier);

/// As klue::ClassifyOptions (klue/task/classify.hpp) says.
typedef struct klue_classify_options {
  size_t struct_size;              ///< sizeof this struct
  size_t top_k;                    ///< 0: all
  klue_score_function activation;  ///< what makes scores of logits
  size_t max_length;               ///< tokens of a text; 0: the model's
  klue_truncation truncation;      ///< which of a pair is cut
} klue_classify_options;

/// One label of a text.
typedef struct klue_label {
  const char* name;  ///< as config.json calls it
  double score;      ///< by which results are ordered
} klue_label;

typedef struct klue_labels klue_labels;
KLUE_C_API klue_status klue_classify(const klue_classifier* classifier, const klue_text* texts,
                                     size_t count, const klue_classify_options* options,
                                     klue_labels** out);
/// Best first.
KLUE_C_API const klue_label* klue_labels_at(const klue_labels* labels, size_t index, size_t* count);
KLUE_C_API void klue_labels_free(klue_labels* labels);

/// How well two texts go together.
typedef struct klue_ranker klue_ranker;
KLUE_C_API klue_status klue_ranker_new(const klue_model* model, klue_ranker** out);
KLUE_C_API void klue_ranker_free(klue_ranker* ranker);

/// As klue::RankOptions (klue/task/rank.hpp) says.
typedef struct klue_rank_options {
  size_t struct_size;              ///< sizeof this struct
  klue_score_function activation;  ///< what makes scores of logits
  size_t max_length;               ///< tokens of a pair; 0: the model's
  klue_truncation truncation;      ///< which of a pair is cut
} klue_rank_options;

/// The score of each pair into memory of the caller's, `count` numbers.
KLUE_C_API klue_status klue_rank(const klue_ranker* ranker, const klue_text* pairs, size_t count,
                                 const klue_rank_options* options, double* scores);

/// Entities.
typedef struct klue_tagger klue_tagger;
KLUE_C_API klue_status klue_tagger_new(const klue_model* model, klue_tagger** out);
KLUE_C_API void klue_tagger_free(klue_tagger* tagger);

typedef int32_t klue_aggregation;
enum {
  KLUE_AGGREGATION_SIMPLE = 0,
  KLUE_AGGREGATION_NONE = 1,
  KLUE_AGGREGATION_FIRST = 2,
  KLUE_AGGREGATION_AVERAGE = 3,
  KLUE_AGGREGATION_MAX = 4
};

/// As klue::TagOptions (klue/task/tag.hpp) says.
typedef struct klue_tag_options {
  size_t struct_size;            ///< sizeof this struct
  klue_aggregation aggregation;  ///< what an entity is made of
  size_t max_length;  ///< tokens of a window; 0: the whole text in windows as long as the model
  size_t stride;      ///< tokens that windows share; 0: as klue::TagOptions says
} klue_tag_options;

/// One entity of a text.
typedef struct klue_entity {
  const char* label;        ///< "PS"
  const char* word;         ///< its tokens, joined
  double score;             ///< by which results are ordered
  klue_offset offset;       ///< bytes of the text
  klue_offset code_points;  ///< the same in code points
} klue_entity;

typedef struct klue_entities klue_entities;
KLUE_C_API klue_status klue_tag(const klue_tagger* tagger, const klue_text* texts, size_t count,
                                const klue_tag_options* options, klue_entities** out);
/// In the order of the text.
KLUE_C_API const klue_entity* klue_entities_at(const klue_entities* entities, size_t index,
                                               size_t* count);
KLUE_C_API void klue_entities_free(klue_entities* entities);

/// Places in a text that answer a question.
typedef struct klue_answerer klue_answerer;
KLUE_C_API klue_status klue_answerer_new(const klue_model* model, klue_answerer** out);
KLUE_C_API void klue_answerer_free(klue_answerer* answerer);

/// As klue::AnswerOptions (klue/task/answer.hpp) says.
typedef struct klue_answer_options {
  size_t struct_size;          ///< sizeof this struct
  size_t top_k;                ///< 0: 1
  size_t max_length;           ///< tokens of a window; 0: 384, or what the model has
  size_t stride;               ///< tokens that windows share; 0: as klue::AnswerOptions says
  size_t max_answer_length;    ///< in tokens; 0: 15
  int32_t no_answer;           ///< not 0: the empty answer competes
  int32_t break_words;         ///< not 0: answers may begin and end within words
  double no_answer_threshold;  ///< what the empty answer has to have over another
} klue_answer_options;

/// One answer.
typedef struct klue_answer {
  const char* text;         ///< "": there is no answer
  double score;             ///< by which results are ordered
  klue_offset offset;       ///< bytes of the context
  klue_offset code_points;  ///< the same in code points
} klue_answer;

typedef struct klue_answers klue_answers;
/// Each text is a question, its pair the context.
KLUE_C_API klue_status klue_answer_questions(const klue_answerer* answerer,
                                             const klue_text* questions, size_t count,
                                             const klue_answer_options* options,
                                             klue_answers** out);
/// Best first.
KLUE_C_API const klue_answer* klue_answers_at(const klue_answers* answers, size_t index,
                                              size_t* count);
/// How sure the model is that the context has no answer.
KLUE_C_API double klue_answers_null_score(const klue_answers* answers, size_t index);
KLUE_C_API void klue_answers_free(klue_answers* answers);

/// Words for masks.
typedef struct klue_mask_filler klue_mask_filler;
KLUE_C_API klue_status klue_mask_filler_new(const klue_model* model, klue_mask_filler** out);
KLUE_C_API void klue_mask_filler_free(klue_mask_filler* filler);

/// As klue::FillMaskOptions (klue/task/fill_mask.hpp) says.
typedef struct klue_fill_options {
  size_t struct_size;          ///< sizeof this struct
  size_t top_k;                ///< 0: 5
  const char* const* targets;  ///< pieces that may be chosen; NULL: all
  size_t target_count;         ///< how many targets
} klue_fill_options;

/// One word for a mask.
typedef struct klue_filling {
  int32_t token;           ///< id
  const char* token_text;  ///< "##체"
  const char* sequence;    ///< the text with this mask filled
  double score;            ///< by which results are ordered
} klue_filling;

typedef struct klue_fillings klue_fillings;
/// Of one text, which has a mask or several.
KLUE_C_API klue_status klue_fill_mask(const klue_mask_filler* filler, klue_text text,
                                      const klue_fill_options* options, klue_fillings** out);
/// For mask `index` of the text, best first.
KLUE_C_API const klue_filling* klue_fillings_at(const klue_fillings* fillings, size_t index,
                                                size_t* count);
KLUE_C_API void klue_fillings_free(klue_fillings* fillings);

#ifdef __cplusplus
}
#endif

#endif
