#include "curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace finetune {
namespace {

constexpr double kWidth = 720, kHeight = 360, kLeft = 64, kRight = 64, kTop = 40, kBottom = 44;

std::string format(const char* pattern, double a, double b = 0, double c = 0, double d = 0) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, a, b, c, d);
  return text;
}

struct Axis {
  double low, high, from, to;
  double at(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

Axis axis_of(std::vector<double> values, double from, double to) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double room = std::max(1e-6, (*high - *low) * 0.06);
  return {*low - room, *high + room, from, to};
}

// A running mean that forgets: readable where single batches jump.
std::vector<double> smoothed(const std::vector<double>& values) {
  const double keep = 1 - 1 / std::max(1.0, static_cast<double>(values.size()) / 50);
  std::vector<double> result;
  double mean = 0, weight = 0;
  for (const double value : values) {
    mean = keep * mean + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    result.push_back(weight > 0 ? mean / weight : value);
  }
  return result;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    result += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '>' ? "&gt;" : std::string(1, c);
  return result;
}

std::string line_of(const std::vector<double>& values, const Axis& x, const Axis& y,
                    const char* style) {
  std::string points;
  // No more points than can be seen.
  const std::size_t stride = std::max<std::size_t>(1, values.size() / 1200);
  for (std::size_t i = 0; i < values.size(); i += stride)
    points += format("%.1f,%.1f ", x.at(static_cast<double>(i + 1)), y.at(values[i]));
  return "<polyline fill=\"none\" " + std::string(style) + " points=\"" + points + "\"/>\n";
}

std::string label(double x, double y, const char* anchor, const char* color,
                  const std::string& text) {
  return format("<text x=\"%.1f\" y=\"%.1f\"", x, y) + " text-anchor=\"" + anchor + "\" fill=\"" +
         color + "\">" + escaped(text) + "</text>\n";
}

}  // namespace

std::string draw(const Curve& curve) {
  const char* const kLoss = "#2563eb";
  const char* const kScore = "#c2410c";
  std::string svg = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"%g\" height=\"%g\" "
      "fill=\"white\"/>\n",
      kWidth, kHeight, kWidth, kHeight);
  svg += label(kWidth / 2, 22, "middle", "#111827", curve.title);
  if (curve.losses.empty()) return svg + "</svg>\n";
  const double last = static_cast<double>(curve.losses.size());
  const Axis x{1, std::max(2.0, last), kLeft, kWidth - kRight};
  const Axis y = axis_of(curve.losses, kHeight - kBottom, kTop);
  svg += format("<path d=\"M%g %gV%gH%g\" fill=\"none\" stroke=\"#9ca3af\"/>\n", kLeft, kTop,
                kHeight - kBottom, kWidth - kRight);
  svg += line_of(curve.losses, x, y, "stroke=\"#bfdbfe\" stroke-width=\"1\"");
  svg += line_of(smoothed(curve.losses), x, y, "stroke=\"#2563eb\" stroke-width=\"2\"");
  for (int tick = 0; tick <= 4; ++tick) {
    const double value = y.low + (y.high - y.low) * tick / 4;
    svg += label(kLeft - 6, y.at(value) + 4, "end", kLoss, format("%.3g", value));
    const double step = std::round(1 + (last - 1) * tick / 4);
    svg += label(x.at(step), kHeight - kBottom + 18, "middle", "#4b5563", format("%.0f", step));
  }
  svg += label(kLeft, kTop - 6, "start", kLoss, "training loss");
  svg += label(kWidth / 2, kHeight - 8, "middle", "#4b5563", "step");
  if (!curve.scores.empty()) {
    std::vector<double> values;
    for (const auto& [step, score] : curve.scores)
      values.push_back(score);
    const Axis right = axis_of(values, kHeight - kBottom, kTop);
    std::string points;
    for (const auto& [step, score] : curve.scores) {
      const double px = x.at(static_cast<double>(step)), py = right.at(score);
      points += format("%.1f,%.1f ", px, py);
      svg += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#c2410c\"/>\n", px, py);
      svg += label(px - 7, py - 7, "end", kScore, format("%.2f", score));
    }
    svg += "<polyline fill=\"none\" stroke=\"#c2410c\" stroke-width=\"2\" points=\"" + points +
           "\"/>\n";
    svg += label(kWidth - kRight, kTop - 6, "end", kScore, "development: " + curve.score_name);
  }
  return svg + "</svg>\n";
}

}  // namespace finetune
