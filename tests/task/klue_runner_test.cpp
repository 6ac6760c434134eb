// A fine-tuned model on KLUE's tasks, against its definition on the encoder's own outputs.

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/klue.hpp>
#include <klue/task/klue_re.hpp>
#include <klue/task/klue_runner.hpp>

#include "model/model_directory.hpp"

namespace klue::baseline {
namespace {

using test::fixture;
using test::ModelDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<float> tensor(const Checkpoint& checkpoint, const std::string& name) {
  const TensorView& view = *checkpoint.find(name);
  std::vector<float> values(view.element_count());
  view.read(0, values);
  return values;
}

// The logits of a whole padded row: W · x + b of each place of the encoder's last layer.
Tensor slow_row(const Model& model, const Checkpoint& checkpoint, const std::string& head,
                const ModelInput& input, std::size_t length, std::int32_t pad, bool types) {
  EncoderInputs row{.batch = 1, .seq_length = length};
  row.input_word_ids = input.ids;
  row.input_word_ids.resize(length, pad);
  row.input_mask.assign(input.ids.size(), 1);
  row.input_mask.resize(length, 0);
  row.input_type_ids.assign(length, 0);
  if (types)
    for (std::size_t i = *input.second_segment; i < input.ids.size(); ++i)
      row.input_type_ids[i] = 1;
  const Tensor hidden =
      model.encoder()(row, {.padded_rows = PaddedRows::reference}).sequence_output;
  const std::vector<float> weight = tensor(checkpoint, head + ".weight"),
                           bias = tensor(checkpoint, head + ".bias");
  Tensor logits{length, bias.size()};
  for (std::size_t place = 0; place < length; ++place)
    for (std::size_t out = 0; out < bias.size(); ++out) {
      const auto x = hidden.at(0, place);
      double sum = static_cast<double>(bias[out]);
      for (std::size_t i = 0; i < x.size(); ++i)
        sum += static_cast<double>(weight[out * x.size() + i]) * static_cast<double>(x[i]);
      logits.at(place)[out] = static_cast<float>(sum);
    }
  return logits;
}

void expect_rows_as_defined(const std::string& name, Benchmark benchmark, const std::string& head,
                            std::int32_t pad, bool types) {
  const Model model = Model::load(fixture(name));
  const Checkpoint checkpoint = open_checkpoint(fixture(name));
  const Runner runner(model, benchmark);
  std::vector<ModelInput> inputs;
  for (const auto& [text, pair] :
       std::vector<std::pair<const char*, const char*>>{{"이 다는 사람", "전"},
                                                        {"", "위치가 좋은 숙소입니다."},
                                                        {"전 전 전 전 전", "사람 사람"}})
    inputs.push_back(text_input(runner.tokenizer(), text, pair));
  const std::size_t full = inputs[1].ids.size();  // one input may fill its row
  for (const std::size_t length : {full, std::size_t{40}}) {
    std::size_t calls = 0;
    const std::size_t count = length == full ? 2 : 3;
    runner.token_logits(
        std::span(inputs).first(count), length, [&](std::size_t i, const Tensor& found) {
          ++calls;
          const Tensor expected = slow_row(model, checkpoint, head, inputs[i], length, pad, types);
          ASSERT_EQ(found.shape(), expected.shape());
          for (std::size_t k = 0; k < found.values().size(); ++k)
            ASSERT_NEAR(found.values()[k], expected.values()[k], 2e-5)
                << "input " << i << ", number " << k;
        });
    EXPECT_EQ(calls, count);
  }
}

TEST(KlueRunner, GivesTheLogitsOfAllPlacesOfARow) {
  expect_rows_as_defined("tiny-11-tokcls", Benchmark::ner, "classifier", 1, false);
  expect_rows_as_defined("tiny-11-qa", Benchmark::mrc, "qa_outputs", 1, false);
}

TEST(KlueRunner, GivesTheLogitsOfARowOfABert) {
  expect_rows_as_defined("tiny-11-bert-qa", Benchmark::mrc, "qa_outputs", 0, true);
}

TEST(KlueRunner, GivesTheLogitsOfTexts) {
  const Model model = Model::load(fixture("tiny-11-seqcls"));
  const Runner runner(model, Benchmark::nli);
  const std::vector<TextPair> pairs{{"이 다는", "사람"}, {"전", "대 사람"}, {"", ""}};
  std::vector<ModelInput> inputs;
  for (const TextPair& pair : pairs)
    inputs.push_back(text_input(runner.tokenizer(), pair.text, pair.text_pair));
  const Tensor found = runner.logits(inputs), expected = model.classify(pairs);
  EXPECT_EQ(found.shape(), expected.shape());
  EXPECT_THAT(found.values(), testing::ElementsAreArray(expected.values()));
  EXPECT_EQ(runner.max_seq_length(), 128u);
}

TEST(KlueRunner, BringsLabelsIntoKluesOrder) {
  const ModelDirectory directory("tiny-11-seqcls");
  const std::vector<ModelInput> input{{.ids = {0, 700, 2}}};
  const Tensor before = Runner(Model::load(directory.path()), Benchmark::nli).logits(input);
  directory.edit_json("config.json", [](auto& config) {
    config["id2label"] = {{"0", "entailment"}, {"1", "neutral"}, {"2", "contradiction"}};
  });
  const Tensor after = Runner(Model::load(directory.path()), Benchmark::nli).logits(input);
  EXPECT_THAT(std::vector<float>(after.at(0).begin(), after.at(0).end()),
              ElementsAre(before.at(0)[0], before.at(0)[2], before.at(0)[1]));
}

TEST(KlueRunner, RefusesLabelsOfAnotherTask) {
  const ModelDirectory directory("tiny-11-seqcls");
  directory.edit_json("config.json", [](auto& config) {
    config["id2label"] = {{"0", "ENTAILMENT"}, {"1", "NEUTRAL"}, {"2", "CONTRADICTION"}};
  });
  const auto error =
      test::thrown<UsageError>([&] { Runner(Model::load(directory.path()), Benchmark::nli); });
  EXPECT_EQ(error.field(), "id2label");
  EXPECT_EQ(error.expected(), "entailment, contradiction, neutral");
  EXPECT_EQ(error.actual(), "ENTAILMENT, NEUTRAL, CONTRADICTION");
}

TEST(KlueRunner, KnowsTheMarkersThatTheModelWasTrainedWith) {
  const ModelDirectory directory("tiny-11-re");
  const std::string vocabulary = directory.read("vocab.txt");
  std::size_t end = vocabulary.size();
  for (int lines = 0; lines < 5; ++lines)
    end = vocabulary.rfind('\n', end - 1);
  directory.remove("tokenizer.json");
  directory.write("vocab.txt", vocabulary.substr(0, end + 1));
  directory.write("added_tokens.json",
                  R"({"<subj>": 1196, "</subj>": 1197, "<obj>": 1198, "</obj>": 1199})");
  const Runner runner(Model::load(directory.path()), Benchmark::re);
  const ReInput input = re_input(runner.tokenizer(), "이 다는 사람 전", {0, 0}, {2, 2});
  EXPECT_THAT(input.ids, testing::IsSupersetOf({1196, 1197, 1198, 1199}));
  const ModelInput ids{input.ids};
  EXPECT_THAT(runner.logits({&ids, 1}).shape(), ElementsAre(1, 30));
}

TEST(KlueRunner, RefusesAnInputOutsideTheModel) {
  const Runner runner(Model::load(fixture("tiny-11-re")), Benchmark::re);
  const ReInput input = re_input(runner.tokenizer(), "이 다는 사람 전", {0, 0}, {2, 2});
  const ModelInput ids{input.ids};  // markers behind the vocabulary, embeddings that did not grow
  EXPECT_THROW(runner.logits({&ids, 1}), UsageError);
  const Runner tagger(Model::load(fixture("tiny-11-tokcls")), Benchmark::ner);
  const ModelInput longer{std::vector<std::int32_t>(12, 700)};
  EXPECT_THROW(tagger.token_logits({&longer, 1}, 11, [](std::size_t, const Tensor&) {}),
               UsageError);
  EXPECT_THROW(tagger.logits({&longer, 1}), UsageError);
  EXPECT_THROW(runner.token_logits({&longer, 1}, 20, [](std::size_t, const Tensor&) {}),
               UsageError);
}

TEST(KlueRunner, RefusesAModelWithoutTheHead) {
  const auto message = [](const char* name, Benchmark benchmark) {
    return std::string(
        test::thrown<UsageError>([&] { Runner(Model::load(fixture(name)), benchmark); }).what());
  };
  EXPECT_THAT(message("tiny-11", Benchmark::ynat), HasSubstr("classify"));
  EXPECT_THAT(message("tiny-11-seqcls", Benchmark::ynat), HasSubstr("expected 7 labels, found 3"));
  EXPECT_THAT(message("tiny-11-seqcls", Benchmark::mrc), HasSubstr("answer"));
  EXPECT_THAT(message("tiny-11-seqcls", Benchmark::ner), HasSubstr("tag"));
  const ModelDirectory directory("tiny-11-tokcls");
  directory.edit_header([](auto& header) {
    header["classifier.weight"]["shape"] = {26, 16};  // the same bytes
  });
  EXPECT_THROW(Runner(Model::load(directory.path()), Benchmark::ner), Error);
}

}  // namespace
}  // namespace klue::baseline
