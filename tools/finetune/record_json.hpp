#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "record.hpp"

namespace finetune {

/// A record from a JSON object of any of the shapes that read_records knows.
Record record_from_json(const nlohmann::json& object, const std::string& place);

/// The entries of KLUE-MRC (and of SQuAD).
std::vector<Record> records_of_mrc(const nlohmann::json& file, const std::string& path);

/// The sentences of KLUE-NER.
std::vector<Record> records_of_ner(const std::string& content, const std::string& path);

/// Text cut into its code points.
std::vector<std::string> code_points(const std::string& text);

}  // namespace finetune
