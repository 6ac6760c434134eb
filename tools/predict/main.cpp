// The command `predict`: what a fine-tuned model says of texts. Everything here is reading, calling
// the library and writing; what a program would want is in the library.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <klue/klue.hpp>

#include "common/command.hpp"
#include "common/demo_model.hpp"
#include "common/model_path.hpp"
#include "common/output_file.hpp"
#include "options.hpp"
#include "output.hpp"
#include "predictor.hpp"
#include "reader.hpp"

namespace predict {
namespace {

using tools::WrongUsage;

/// The task of the command line, else the one that the model's head is for.
klue::Task chosen_task(const klue::Model& model, const Options& options) {
  if (options.task) return *options.task;
  const std::optional<klue::HeadInfo>& head = model.info().head;
  if (!head || head->tasks.empty())
    throw klue::UsageError("this checkpoint has no head that could be run",
                           {.file = model.info().weights_file.string(),
                            .actual = head ? head->description : "an encoder alone"});
  if (head->tasks.size() == 1) return head->tasks.front();
  std::string names;
  for (const klue::Task task : head->tasks)
    names.append(names.empty() ? "" : " or ").append(klue::task_name(task));
  throw WrongUsage("the model is good for several tasks: choose one",
                   {.field = "--task", .expected = names});
}

std::unique_ptr<Predictor> make_predictor(klue::Model model, klue::Task task,
                                          const Options& options, Style style) {
  switch (task) {
    case klue::Task::classify:
      return make_classifier(std::move(model), options, style);
    case klue::Task::rank:
      return make_ranker(std::move(model), options, style);
    case klue::Task::tag:
      return make_tagger(std::move(model), options, style);
    case klue::Task::answer:
      return make_answerer(std::move(model), options, style);
    case klue::Task::fill_mask:
      return make_mask_filler(std::move(model), options, style);
  }
  throw klue::UsageError("no such task");
}

// A record that cannot be run ends the work, but what stands before it is done and the message says
// which it is.
void write_until_refused(const Predictor& predictor, const std::vector<Record>& records,
                         std::size_t first, const Reader& reader, tools::OutputFile& out) {
  for (std::size_t i = 0; i < records.size(); ++i)
    try {
      out.write(predictor.predict(std::span(records).subspan(i, 1), first + i));
    } catch (const klue::UsageError& error) {
      out.flush();
      throw klue::UsageError(error.what(), reader.place_of(records[i], first + i));
    }
}

std::filesystem::path model_directory(const Options& options) {
  if (!options.model.empty()) return tools::model_path(KLUE_PROGRAM, options.model, options.quiet);
  if (!options.quiet)
    std::cerr << KLUE_PROGRAM ": no --model given: using the small bundled demo model of chat\n";
  return tools::demo_model("demo-chat");
}

void run(const Options& options) {
  const auto model = klue::Model::load(model_directory(options), options.load);
  const klue::Task task = chosen_task(model, options);
  if (const std::string flag = foreign_flag(options, task); !flag.empty())
    throw WrongUsage("does not go with the task " + std::string(klue::task_name(task)),
                     {.field = flag});
  if (!options.input.empty()) tools::refuse_same_file(options.out, options.input, "the input");
  tools::refuse_file_of(options.out, model.info().directory, "a file of the model");
  if (!options.load.preprocessor.empty())
    tools::refuse_file_of(options.out, options.load.preprocessor, "a file of the tokenizer");
  Reader reader(options, task);
  const Style style{options.format, Marker(options.out == "-" && wants_colour())};
  const auto predictor = make_predictor(model, task, options, style);
  tools::OutputFile out(options.out);
  if (options.format == Format::tsv) out.write(predictor->header());
  std::size_t first = 1;
  for (auto records = reader.read(); !records.empty(); records = reader.read()) {
    std::string results;
    try {
      results = predictor->predict(records, first);
    } catch (const klue::UsageError&) {
      write_until_refused(*predictor, records, first, reader, out);
    }
    out.write(results);
    out.flush();
    first += records.size();
  }
  out.finish();
}

}  // namespace
}  // namespace predict

int main(int argc, char** argv) {
  return tools::run_command(KLUE_PROGRAM, [&] {
    int status = 0;
    if (const auto options = predict::parse_command_line(argc, argv, status))
      predict::run(*options);
    return status;
  });
}
