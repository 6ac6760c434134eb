#ifndef KLUE_KLUE_HUB_H
#define KLUE_KLUE_HUB_H

/// Models by name, for C: from the cache that Hugging Face's own tools keep, or from the hub. Part
/// of `klue::hub`; what klue/klue.h says of all functions holds here, too, errors included.
///
///     char *directory;
///     klue_model *model;
///     if (klue_hub_fetch("klue/roberta-base", NULL, &directory) != KLUE_OK ||
///         klue_model_load(directory, NULL, &model) != KLUE_OK)
///       return fprintf(stderr, "%s\n", klue_error_message()), 1;
///     klue_string_free(directory);

#include <stddef.h>
#include <stdint.h>

#include <klue/klue.h>

#ifdef __cplusplus
extern "C" {
#endif

/// As klue::hub::Options (klue/hub.hpp) says. What is 0 or NULL is as the variables HF_HUB_CACHE,
/// HF_ENDPOINT, HF_TOKEN and so on of the environment have it.
typedef struct klue_hub_options {
  size_t struct_size;       ///< sizeof this struct
  const char* cache;        ///< folder of the models
  const char* endpoint;     ///< address of the hub
  const char* token;        ///< secret, for models that need one
  klue_choice offline;      ///< KLUE_YES: only the cache, never the network
  int32_t timeout_seconds;  ///< 0: as the environment says
  /// Told how far a download is: bytes of all files of the call. What is not 0 ends it with
  /// KLUE_STOPPED; a later call takes it up again.
  int (*progress)(void* user, const char* file, uint64_t received, uint64_t total);
  void* user;  ///< handed to the callback
} klue_hub_options;

/// 1 where a text could be the name of a model, "organisation/model@revision"; else 0.
KLUE_C_API int32_t klue_hub_is_name(const char* text);

/// The directory of a model for klue_model_load, downloaded where it is not cached. To be given to
/// klue_string_free.
KLUE_C_API klue_status klue_hub_fetch(const char* name, const klue_hub_options* options,
                                      char** directory);

/// The same from the cache alone; *directory is NULL, and nothing is wrong, where it is not there.
KLUE_C_API klue_status klue_hub_find_cached(const char* name, const klue_hub_options* options,
                                            char** directory);

#ifdef __cplusplus
}
#endif

#endif
