import "./index.css";
import "./trust.css";
import "./lab.css";
