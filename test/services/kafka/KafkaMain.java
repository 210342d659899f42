import java.io.IOException;
import java.util.Arrays;

/**
 * Formats its directories where that has not been done, and runs a broker for as long as the process lives that started
 * it. Arguments: the file of properties, then those of `kafka.tools.StorageTool`.
 */
public class KafkaMain {
  public static void main(String[] args) {
    String[] format = Arrays.copyOfRange(args, 1, args.length);
    if (kafka.tools.StorageTool.execute(format, System.out) != 0) System.exit(1);
    Thread watcher = new Thread(KafkaMain::endWithInput, "input");
    watcher.setDaemon(true);
    watcher.start();
    kafka.Kafka.main(new String[] {args[0]});
  }

  /**
   * Whoever started it holds the other end: nothing is left running when that process is killed. Nobody needs its data
   * then, and to leave in order takes seconds.
   */
  private static void endWithInput() {
    try {
      while (System.in.read() >= 0) {}
    } catch (IOException error) {
      error.printStackTrace();
    }
    Runtime.getRuntime().halt(0);
  }
}
