// Sentences and their vectors in PostgreSQL, and a search among them in SQL. Where the extension
// pgvector is to be had the vectors are of its type, else they are arrays of real.
//
//     postgres CONNECTION MODEL FILE QUERY      CONNECTION: "host=… dbname=…", or "" for the
//                                               variables PGHOST, PGDATABASE, …
// Makes the table klue_sentences anew.

#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include <klue/klue.hpp>

namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

class Database {
 public:
  explicit Database(const char* connection) : connection_(PQconnectdb(connection), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail();
  }

  Result run(const char* sql, const std::vector<std::string>& values = {}) const {
    std::vector<const char*> texts;
    for (const std::string& value : values)
      texts.push_back(value.c_str());
    Result result(PQexecParams(connection_.get(), sql, static_cast<int>(texts.size()), nullptr,
                               texts.data(), nullptr, nullptr, 0),
                  PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail();
    return result;
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(PQerrorMessage(connection_.get())); }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// "{0.25,-1}" is an array, "[0.25,-1]" a vector; digits that read back to the same float.
std::string literal(std::span<const float> vector, const char* brackets) {
  std::string text(1, brackets[0]);
  for (const float value : vector) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    text.append(digits, end.ptr).push_back(',');
  }
  text.back() = brackets[1];
  return text;
}

bool use_pgvector(const Database& database) {
  const Result found = database.run("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'");
  if (PQntuples(found.get()) == 0) return false;
  database.run("CREATE EXTENSION IF NOT EXISTS vector");
  return true;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::cerr << "Usage: postgres CONNECTION MODEL FILE QUERY\n";
    return 2;
  }
  const Database database(argv[1]);
  const auto model = klue::Model::load(argv[2]);
  std::ifstream file(argv[3]);
  if (!file) throw klue::IoError("cannot open the file", {.file = argv[3]});
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) lines.push_back(std::move(line));

  const bool pgvector = use_pgvector(database);
  const char* const brackets = pgvector ? "[]" : "{}";
  const std::string type =
      pgvector ? "vector(" + std::to_string(model.info().embedding_size) + ")" : "real[]";
  database.run("BEGIN");
  database.run("DROP TABLE IF EXISTS klue_sentences");
  database.run(("CREATE TABLE klue_sentences (line integer PRIMARY KEY, body text NOT NULL, "
                "embedding " +
                type + " NOT NULL)")
                   .c_str());
  const klue::Tensor vectors = model.embed(lines, {.normalize = true});
  for (std::size_t i = 0; i < lines.size(); ++i)
    database.run("INSERT INTO klue_sentences VALUES ($1, $2, $3)",
                 {std::to_string(i + 1), lines[i], literal(vectors.at(i), brackets)});
  database.run("COMMIT");

  const klue::Tensor query = model.embed(argv[4], {.normalize = true});
  const Result hits = database.run(
      pgvector ? "SELECT 1 - (embedding <=> $1) AS cosine, body FROM klue_sentences "
                 "ORDER BY embedding <=> $1 LIMIT 3"
               : "SELECT (SELECT sum(a * b) FROM unnest(embedding, $1::real[]) AS t(a, b)) "
                 "AS cosine, body FROM klue_sentences ORDER BY cosine DESC LIMIT 3",
      {literal(query.at(0), brackets)});
  std::cout << lines.size() << " sentences as " << type << "\n" << argv[4] << "\n";
  for (int i = 0; i < PQntuples(hits.get()); ++i)
    std::cout << "  " << std::string(PQgetvalue(hits.get(), i, 0)).substr(0, 5) << "  "
              << PQgetvalue(hits.get(), i, 1) << "\n";
} catch (const std::exception& error) {
  std::cerr << "postgres: " << error.what() << "\n";
  return 1;
}
