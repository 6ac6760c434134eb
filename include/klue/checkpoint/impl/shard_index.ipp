#include <set>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/detail/file_kind.hpp>
#include <klue/checkpoint/detail/shard_index.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

/// Collects the strings of "weight_map" and skips everything else, without building a document.
class IndexReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit IndexReader(const std::filesystem::path& file) : file_(file) {}

  ShardIndex take() {
    if (!found_) fail("no weight_map: not an index of weight files", {});
    return std::move(index_);
  }

  bool key(std::string& key) override {
    if (depth_ == 1) {
      if (key == "weight_map" && found_) fail("duplicate weight_map", {});
      in_weight_map_ = key == "weight_map";
      found_ = found_ || in_weight_map_;
    } else if (in_weight_map_) {
      name_ = key;
    }
    return true;
  }

  bool string(std::string& value) override {
    if (!in_weight_map_) return scalar();
    if (depth_ != 2) fail("weight_map is no object", '"' + value + '"');
    // A path would let a downloaded index read files from anywhere.
    if (value.empty() || value == "." || value == ".." ||
        value.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
      fail("the shard's name is no plain file name", '"' + value + '"');
    if (!index_.emplace(name_, value).second) fail("duplicate tensor name", name_);
    return true;
  }

  bool start_object(std::size_t) override {
    if (in_weight_map_ && depth_ == 2) fail("a shard's name must be a string", "an object");
    return open();
  }
  bool start_array(std::size_t) override {
    if (in_weight_map_) fail("weight_map must map names to strings", "an array");
    if (depth_ == 0) fail("the index is no JSON object", "an array");
    return open();
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(std::int64_t) override { return scalar(); }
  bool number_unsigned(std::uint64_t) override { return scalar(); }
  bool number_float(double, const std::string&) override { return scalar(); }
  bool binary(nlohmann::json::binary_t&) override { return scalar(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    fail("no valid JSON", "an error at byte " + std::to_string(position));
  }

 private:
  static constexpr std::size_t kMaxDepth = 64;

  bool scalar() {
    if (depth_ == 0) fail("the index is no JSON object", {});
    if (in_weight_map_) fail("weight_map must map names to strings", {});
    return true;
  }

  bool open() {
    if (++depth_ > kMaxDepth) fail("the index nests too deep", {});
    return true;
  }

  bool close() {
    if (--depth_ == 1) in_weight_map_ = false;
    return true;
  }

  [[noreturn]] void fail(const char* message, std::string actual) const {
    throw FormatError(message, {.file = file_.string(),
                                .field = in_weight_map_ ? name_ : "",
                                .actual = std::move(actual)});
  }

  const std::filesystem::path& file_;
  std::size_t depth_ = 0;
  bool in_weight_map_ = false, found_ = false;
  std::string name_{};
  ShardIndex index_{};
};

}  // namespace

ShardIndex parse_shard_index(const std::filesystem::path& file, std::string_view text) {
  refuse_placeholder(file, std::as_bytes(std::span(text)));
  IndexReader reader(file);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

Checkpoint read_shards(const Place& index, std::string_view format,
                       const std::function<Checkpoint(const Place&)>& read_shard) {
  const ShardIndex shard_of = parse_shard_index(index.path(), map_text_file(index).text());
  std::set<std::string> shards;
  for (const auto& [name, shard] : shard_of)
    shards.insert(shard);

  Checkpoint::Tensors tensors;
  std::vector<std::shared_ptr<const void>> owners;
  bool mapped = true;
  for (const std::string& shard : shards) {
    const auto part = std::make_shared<const Checkpoint>(read_shard(index.beside(shard)));
    mapped = mapped && part->is_mapped();
    for (const auto& [name, view] : part->tensors()) {
      const auto listed = shard_of.find(name);
      if (listed != shard_of.end() && listed->second != shard) continue;  // the index decides
      if (!tensors.emplace(name, view).second)
        throw FormatError("the tensor is in several shards and the index does not say which counts",
                          {.file = index.string(), .field = name});
    }
    owners.push_back(part);
  }
  for (const auto& [name, shard] : shard_of)
    if (!tensors.contains(name))
      throw FormatError("the shard does not hold a tensor that the index promises",
                        {.file = index.beside(shard).string(), .field = name});
  return {index.path(),
          std::move(tensors),
          std::move(owners),
          std::string(format) + " in " + std::to_string(shards.size()) +
              (shards.size() == 1 ? " file" : " files"),
          {},
          mapped};
}

}  // namespace klue::detail
