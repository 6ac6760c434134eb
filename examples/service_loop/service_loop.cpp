// A service inside of a program: any number of threads ask for vectors, one thread gathers what is
// waiting and embeds it as one batch. Under load the batches grow by themselves, and with them the
// throughput; a lone request waits for nobody.
//
//     service_loop MODEL CLIENTS <TEXTS      each of the clients asks for its share of the lines

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <future>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <klue/klue.hpp>

namespace {

class EmbeddingService {
 public:
  EmbeddingService(klue::Model model, std::size_t most_at_once)
      : model_(std::move(model)), most_at_once_(most_at_once) {}

  /// Any thread may call this. The future has the vector, or what went wrong.
  std::future<std::vector<float>> submit(std::string text) {
    std::promise<std::vector<float>> promise;
    std::future<std::vector<float>> future = promise.get_future();
    {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(std::move(text), std::move(promise));
    }
    changed_.notify_one();
    return future;
  }

  std::size_t batches() const noexcept { return batches_; }

 private:
  using Request = std::pair<std::string, std::promise<std::vector<float>>>;

  // Until the service ends; what waits by then is still answered.
  void work(std::stop_token stop) {
    for (std::vector<Request> batch; !(batch = next_batch(stop)).empty();) {
      std::vector<std::string_view> texts;
      for (const Request& request : batch)
        texts.emplace_back(request.first);
      try {
        const klue::Tensor vectors = model_.embed(texts);
        for (std::size_t i = 0; i < batch.size(); ++i)
          batch[i].second.set_value({vectors.at(i).begin(), vectors.at(i).end()});
      } catch (...) {
        for (Request& request : batch)
          request.second.set_exception(std::current_exception());
      }
      ++batches_;
    }
  }

  std::vector<Request> next_batch(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !waiting_.empty(); });
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), most_at_once_));
    std::vector<Request> batch(std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.begin() + count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    return batch;
  }

  klue::Model model_;
  std::size_t most_at_once_, batches_ = 0;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Request> waiting_;
  std::jthread worker_{[this](std::stop_token stop) { work(std::move(stop)); }};  // ends first
};

}  // namespace

int main(int argc, char** argv) try {
  const int clients = argc == 3 ? std::atoi(argv[2]) : 0;
  if (clients < 1) {
    std::cerr << "Usage: service_loop MODEL CLIENTS <TEXTS\n";
    return 2;
  }
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);)
    texts.push_back(std::move(line));

  EmbeddingService service(klue::Model::load(argv[1]), /*most_at_once=*/64);
  std::vector<std::vector<float>> vectors(texts.size());
  const auto began = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int client = 0; client < clients; ++client)
      threads.emplace_back([&, client] {
        for (std::size_t i = std::size_t(client); i < texts.size(); i += std::size_t(clients))
          vectors[i] = service.submit(texts[i]).get();  // as a handler of requests would
      });
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%zu texts for %d clients in %zu batches, %.0f texts/s\n", texts.size(), clients,
              service.batches(), double(texts.size()) / took.count());
} catch (const klue::Error& error) {
  std::cerr << "service_loop: " << error.what() << "\n";
  return 1;
}
