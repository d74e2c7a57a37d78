#include "thalweg/diagnose/overlap.hpp"

namespace thalweg {

GradientNoise gradient_noise(const Functional& functional, In y, const Matrix& directions) {
  require(functional.samples() > 0, "gradient noise: this objective has no samples");
  const auto n = static_cast<double>(functional.samples());
  Vector mean(y.size()), one(y.size());
  functional.gradient(y, {}, mean);
  GradientNoise noise{Vector::Zero(directions.cols()), 0};
  for (std::int32_t i = 0; i < functional.samples(); ++i) {
    functional.gradient(y, {&i, 1}, one);
    one -= mean;  // before it is squared: near a minimum the difference of the squares would cancel
    noise.along += (directions.transpose() * one).cwiseAbs2() / n;
    noise.trace += one.squaredNorm() / n;
  }
  return noise;
}

Vector gradient_shares(In gradient, const Matrix& directions) {
  const double square = gradient.squaredNorm();
  if (square == 0) return Vector::Zero(directions.cols());
  return (directions.transpose() * gradient).cwiseAbs2() / square;
}

}  // namespace thalweg
