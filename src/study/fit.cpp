#include "thalweg/study/fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <boost/math/distributions/students_t.hpp>

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// How far, in ln error, a point of an asymptotic range may lie off the line: its next term is then a tenth.
constexpr double straight = 0.1;

struct Point {
  double h, x, y;  // h, ln h, ln error
  double slack;    // how far y may lie off the line
};

struct Line {
  double slope, intercept, standard_error;
  bool fits;  // no point is farther off than its slack
};

Line line_through(std::span<const Point> points) {
  const double n = static_cast<double>(points.size());
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
  for (const Point& p : points) {
    mean_x += p.x / n;
    mean_y += p.y / n;
  }
  for (const Point& p : points) {
    xx += (p.x - mean_x) * (p.x - mean_x);
    xy += (p.x - mean_x) * (p.y - mean_y);
  }
  Line line{xy / xx, mean_y - xy / xx * mean_x, nan, true};
  double squares = 0;
  for (const Point& p : points) {
    const double residual = p.y - line.intercept - line.slope * p.x;
    squares += residual * residual;
    line.fits = line.fits && std::abs(residual) <= p.slack;
  }
  if (n > 2) line.standard_error = std::sqrt(squares / (n - 2) / xx);
  return line;
}

double slope(const Point& fine, const Point& coarse) { return (coarse.y - fine.y) / (coarse.x - fine.x); }

/// Whether the finest of the points no longer follow any order: an inner solver's tolerance, or rounding.
bool stagnates(std::span<const Point> sorted) {
  if (sorted.size() < 3) return false;
  return slope(sorted[0], sorted[1]) < 0.5 || slope(sorted[0], sorted[2]) < 0.5;
}

std::span<const Point> asymptotic(std::span<const Point> sorted) {
  while (stagnates(sorted)) sorted = sorted.subspan(1);
  for (std::size_t length = sorted.size(); length > 3; --length)
    if (line_through(sorted.first(length)).fits) return sorted.first(length);
  return sorted.first(std::min<std::size_t>(sorted.size(), 3));
}

}  // namespace

OrderFit fit_order(std::span<const double> h, std::span<const double> error, const Asymptotics& range,
                   std::span<const double> spread) {
  require(h.size() == error.size() && (spread.empty() || spread.size() == h.size()), "a fit needs one error a step");
  std::vector<Point> usable;
  for (std::size_t i = 0; i < h.size(); ++i)
    if (h[i] > 0 && std::isfinite(error[i]) && error[i] > range.floor && error[i] < range.ceiling)
      usable.push_back(
          {h[i], std::log(h[i]), std::log(error[i]), straight + (spread.empty() ? 0 : 2 * spread[i] / error[i])});
  std::sort(usable.begin(), usable.end(), [](const Point& a, const Point& b) { return a.h < b.h; });
  const auto points = asymptotic(usable);
  OrderFit fit{nan, nan, nan, nan, static_cast<int>(points.size()), nan, nan};
  if (points.size() < 2) return fit;
  const Line line = line_through(points);
  fit.order = line.slope;
  fit.constant = std::exp(line.intercept);
  fit.finest = points.front().h;
  fit.coarsest = points.back().h;
  if (points.size() < 3) return fit;
  const boost::math::students_t law(static_cast<double>(points.size() - 2));
  const double half = boost::math::quantile(law, 0.975) * line.standard_error;
  fit.low = fit.order - half;
  fit.high = fit.order + half;
  return fit;
}

}  // namespace thalweg
