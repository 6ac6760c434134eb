// The vectors of sentences as an Eigen matrix, without a copy: their similarities, and the two
// directions in which they differ most (principal components).
//
//     eigen_map MODEL SENTENCE...

#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include <Eigen/Dense>

#include <klue/klue.hpp>

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::cerr << "Usage: eigen_map MODEL SENTENCE SENTENCE...\n";
    return 2;
  }
  const auto model = klue::Model::load(argv[1]);
  const std::vector<std::string> sentences(argv + 2, argv + argc);
  const klue::Tensor vectors = model.embed(sentences, {.normalize = true});

  // A tensor is in C order, so the matrix is row-major. Nothing is said about its alignment.
  const Eigen::Map<const Matrix> rows(vectors.data(), Eigen::Index(vectors.shape()[0]),
                                      Eigen::Index(vectors.shape()[1]));
  const Matrix similarities = rows * rows.transpose();

  // Of the centred rows only their products are needed, [sentences, sentences].
  const Matrix centred = rows.rowwise() - rows.colwise().mean();
  const Eigen::SelfAdjointEigenSolver<Matrix> products(centred * centred.transpose());
  const Matrix plane = products.eigenvectors().rightCols(2).rowwise().reverse() *
                       products.eigenvalues().tail(2).reverse().cwiseSqrt().asDiagonal();

  std::cout << std::fixed << std::setprecision(3) << "similarities\n"
            << similarities << "\n\nprincipal components\n"
            << plane << "\n";

  // The other way: Eigen's memory, filled by the model.
  Matrix own(rows.rows(), rows.cols());
  model.embed_into(sentences, {own.data(), std::size_t(own.size())}, {.normalize = true});
  if (own != rows) throw klue::UsageError("the two ways differ");
} catch (const klue::Error& error) {
  std::cerr << "eigen_map: " << error.what() << "\n";
  return 1;
}
