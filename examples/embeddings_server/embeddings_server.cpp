// POST /v1/embeddings as OpenAI's API has it, so that its clients work with a model of your own.
//
//     embeddings_server MODEL [PORT]      on 127.0.0.1; default 8080, 0: any free one

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_inputs = 2048, most_body_bytes = 16u << 20;

// A request that cannot be answered; `param` is the part of it that is wrong.
struct BadRequest {
  std::string message, param;
};

void set_error(httplib::Response& response, int status, const std::string& message,
               const std::string& param) {
  const Json error{{"message", message},
                   {"type", status < 500 ? "invalid_request_error" : "server_error"},
                   {"param", param.empty() ? Json() : Json(param)},
                   {"code", nullptr}};
  response.status = status;
  response.set_content(Json{{"error", error}}.dump(), "application/json");
}

// OpenAI's Python client asks for vectors as the base64 of their little-endian bytes.
std::string base64(std::span<const float> vector) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* const bytes = reinterpret_cast<const unsigned char*>(vector.data());
  const std::size_t size = vector.size_bytes();
  std::string text;
  for (std::size_t i = 0; i < size; i += 3) {
    std::uint32_t group = std::uint32_t(bytes[i]) << 16;
    if (i + 1 < size) group |= std::uint32_t(bytes[i + 1]) << 8;
    if (i + 2 < size) group |= bytes[i + 2];
    for (std::size_t j = 0; j < 4; ++j)
      text += i + j <= size ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::vector<std::string> inputs_of(const Json& request) {
  if (!request.is_object()) throw BadRequest{"the body is no JSON object", ""};
  const auto input = request.find("input");
  std::vector<std::string> texts;
  if (input != request.end() && input->is_string()) texts.push_back(*input);
  if (input != request.end() && input->is_array())
    for (const Json& text : *input) {
      if (!text.is_string()) throw BadRequest{"every input must be a string", "input"};
      texts.push_back(text);
    }
  if (texts.empty() || texts.size() > most_inputs)
    throw BadRequest{"input must be a string, or 1 to 2048 of them", "input"};
  return texts;
}

Json answer(const klue::Model& model, const std::string& name, const Json& request) {
  const std::vector<std::string> texts = inputs_of(request);
  const std::string format = request.value("encoding_format", "float");
  if (format != "float" && format != "base64")
    throw BadRequest{"encoding_format must be float or base64", "encoding_format"};
  if (request.value("dimensions", model.info().embedding_size) != model.info().embedding_size)
    throw BadRequest{"the model has vectors of " + std::to_string(model.info().embedding_size),
                     "dimensions"};

  std::vector<klue::TextReport> reports;
  const klue::Tensor vectors = model.embed(texts, {.normalize = true, .reports = &reports});
  Json data = Json::array();
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::span<const float> vector = vectors.at(i);
    Json embedding = format == "float" ? Json(vector) : Json(base64(vector));
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", std::move(embedding)}});
    tokens += reports[i].kept;
  }
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", name},
          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2 || argc > 3) {
    std::cerr << "Usage: embeddings_server MODEL [PORT]\n";
    return 2;
  }
  const auto model = klue::Model::load(argv[1]);  // every thread of the server may call it
  const std::string name = std::filesystem::absolute(argv[1]).lexically_normal().filename();

  httplib::Server server;
  server.set_payload_max_length(most_body_bytes);
  server.Post("/v1/embeddings", [&](const httplib::Request& request, httplib::Response& response) {
    try {
      response.set_content(answer(model, name, Json::parse(request.body)).dump(),
                           "application/json");
    } catch (const BadRequest& error) {
      set_error(response, 400, error.message, error.param);
    } catch (const nlohmann::json::exception&) {
      set_error(response, 400, "the body is not the JSON that is expected here", "");
    } catch (const std::exception& error) {
      set_error(response, 500, error.what(), "");
    }
  });
  server.Get("/v1/models", [&](const httplib::Request&, httplib::Response& response) {
    const Json one{{"id", name}, {"object", "model"}, {"owned_by", "you"}};
    response.set_content(Json{{"object", "list"}, {"data", {one}}}.dump(), "application/json");
  });

  const int asked = argc == 3 ? std::atoi(argv[2]) : 8080;
  const int port = asked == 0                                ? server.bind_to_any_port("127.0.0.1")
                   : server.bind_to_port("127.0.0.1", asked) ? asked
                                                             : -1;
  if (port < 0) throw klue::IoError("cannot listen on this port", {.field = std::to_string(asked)});
  std::cout << "http://127.0.0.1:" << port << "/v1/embeddings" << std::endl;
  return server.listen_after_bind() ? 0 : 1;
} catch (const klue::Error& error) {
  std::cerr << "embeddings_server: " << error.what() << "\n";
  return 1;
}
